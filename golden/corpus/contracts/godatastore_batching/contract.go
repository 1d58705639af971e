package godatastorebatching

import datastore "github.com/ipfs/go-datastore"

// Batching is datastore.Batching, as it stands.
type Batching = datastore.Batching
