package gohcloglogger

import hclog "github.com/hashicorp/go-hclog"

type Logger = hclog.Logger
