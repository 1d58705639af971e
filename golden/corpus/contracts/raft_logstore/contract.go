package raftlogstore

import "github.com/hashicorp/raft"

// LogStore is raft.LogStore, as it stands.
type LogStore = raft.LogStore
