package throttledgcrastore

import throttled "github.com/throttled/throttled/v2"

type GCRAStore = throttled.GCRAStore
