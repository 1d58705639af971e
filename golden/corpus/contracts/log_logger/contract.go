package loglogger

import "github.com/go-kit/log"

// Logger is log.Logger, as it stands.
type Logger = log.Logger
