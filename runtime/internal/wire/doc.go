// Package wire speaks the services that go-plugin peers expect beside the contract's own: plugin.GRPCController,
// plugin.GRPCStdio, plugin.GRPCBroker and grpc.health.v1.Health, from the plugin's side and from the host's.
//
// The services are written by hand over messages of a package of our own. A second Go package that registers messages
// named plugin.ConnInfo and so on would make every program that also links go-plugin panic at its start;
// what peers compare is only the name of the method and the numbers of the fields.
package wire

// Names of the services. Peers compare them byte by byte.
const (
	ControllerService = "plugin.GRPCController"
	StdioService      = "plugin.GRPCStdio"
	BrokerService     = "plugin.GRPCBroker"
)

// HealthName is the name that go-plugin's hosts ask grpc.health.v1.Health about.
const HealthName = "plugin"
