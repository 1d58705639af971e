package statsdclientinterface

import "github.com/DataDog/datadog-go/v5/statsd"

type ClientInterface = statsd.ClientInterface
