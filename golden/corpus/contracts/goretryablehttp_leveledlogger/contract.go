package goretryablehttpleveledlogger

import retryablehttp "github.com/hashicorp/go-retryablehttp"

// LeveledLogger is retryablehttp.LeveledLogger, as it stands.
type LeveledLogger = retryablehttp.LeveledLogger
