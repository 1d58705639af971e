package gometricsmetricsink

import metrics "github.com/hashicorp/go-metrics"

// MetricSink is metrics.MetricSink, as it stands.
type MetricSink = metrics.MetricSink
