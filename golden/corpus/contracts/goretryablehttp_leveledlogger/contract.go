package goretryablehttpleveledlogger

import retryablehttp "github.com/hashicorp/go-retryablehttp"

type LeveledLogger = retryablehttp.LeveledLogger
