package logrlogsink

import "github.com/go-logr/logr"

// LogSink is logr.LogSink, as it stands.
type LogSink = logr.LogSink
