package loglogger

import "github.com/go-kit/log"

type Logger = log.Logger
