package throttledgcrastore

import throttled "github.com/throttled/throttled/v2"

// GCRAStore is throttled.GCRAStore, as it stands.
type GCRAStore = throttled.GCRAStore
