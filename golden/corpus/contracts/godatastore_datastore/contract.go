package godatastoredatastore

import datastore "github.com/ipfs/go-datastore"

type Datastore = datastore.Datastore
