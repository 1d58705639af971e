package statsdclientinterface

import "github.com/DataDog/datadog-go/v5/statsd"

// ClientInterface is statsd.ClientInterface, as it stands.
type ClientInterface = statsd.ClientInterface
