package gohclogsinkadapter

import hclog "github.com/hashicorp/go-hclog"

type SinkAdapter = hclog.SinkAdapter
