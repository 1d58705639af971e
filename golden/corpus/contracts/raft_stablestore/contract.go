package raftstablestore

import "github.com/hashicorp/raft"

type StableStore = raft.StableStore
