package godatastorebatching

import datastore "github.com/ipfs/go-datastore"

type Batching = datastore.Batching
