package gohclogsinkadapter

import hclog "github.com/hashicorp/go-hclog"

// SinkAdapter is hclog.SinkAdapter, as it stands.
type SinkAdapter = hclog.SinkAdapter
