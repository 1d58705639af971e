package gometricsmetricsink

import metrics "github.com/hashicorp/go-metrics"

type MetricSink = metrics.MetricSink
