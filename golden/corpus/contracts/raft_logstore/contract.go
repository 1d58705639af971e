package raftlogstore

import "github.com/hashicorp/raft"

type LogStore = raft.LogStore
