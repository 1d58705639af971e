package gohcloglogger

import hclog "github.com/hashicorp/go-hclog"

// Logger is hclog.Logger, as it stands.
type Logger = hclog.Logger
