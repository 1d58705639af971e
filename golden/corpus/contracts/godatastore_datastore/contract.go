package godatastoredatastore

import datastore "github.com/ipfs/go-datastore"

// Datastore is datastore.Datastore, as it stands.
type Datastore = datastore.Datastore
