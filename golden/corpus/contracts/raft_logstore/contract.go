package raftlogstore

import "github.com/hashicorp/raft"

// LogStore is raft.LogStore, as it stands.
//
//plugingen:inout GetLog.log
type LogStore = raft.LogStore
