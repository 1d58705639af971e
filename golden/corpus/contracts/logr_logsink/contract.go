package logrlogsink

import "github.com/go-logr/logr"

type LogSink = logr.LogSink
