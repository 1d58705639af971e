package raftstablestore

import "github.com/hashicorp/raft"

// StableStore is raft.StableStore, as it stands.
type StableStore = raft.StableStore
