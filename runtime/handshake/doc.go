// Package handshake is the one line by which a plugin tells its host where and how it can be reached.
//
// The line is that of hashicorp/go-plugin, so hosts and plugins of either make understand each other:
//
//	CORE|VERSION|NETWORK|ADDRESS|PROTOCOL|CERTIFICATE\n
//
// The package is pure: it parses and builds text, reads from a reader it is given, and starts, dials or waits for nothing.
// Everything in it may be used concurrently.
package handshake

// CoreVersion is the only version of the line itself that exists.
const CoreVersion = 1

// Protocols that a plugin can speak once it is connected; the line's fifth field.
const (
	ProtocolGRPC   = "grpc"
	ProtocolNetRPC = "netrpc" // what a line without a fifth field means
)

// Networks on which a plugin can listen; the line's third field, and the names in a list of transports.
const (
	Unix = "unix"
	TCP  = "tcp"
)

// Environment variables that a host sets for its plugin, besides the magic cookie.
const (
	EnvProtocolVersions = "PLUGIN_PROTOCOL_VERSIONS" // comma list, see ParseVersions
	EnvTransports       = "PLUGIN_TRANSPORTS"        // comma list, see ParseTransports; go-plugin peers do not know it
	EnvMinPort          = "PLUGIN_MIN_PORT"
	EnvMaxPort          = "PLUGIN_MAX_PORT"
	EnvClientCert       = "PLUGIN_CLIENT_CERT" // PEM; asks the plugin for mutual TLS
	EnvMultiplexGRPC    = "PLUGIN_MULTIPLEX_GRPC"
	EnvUnixSocketDir    = "PLUGIN_UNIX_SOCKET_DIR"
	EnvUnixSocketGroup  = "PLUGIN_UNIX_SOCKET_GROUP"
)

// EnvLane is the environment variable in which a host of this module offers its plugin an inherited socket, for calls that cost less than
// gRPC's. PROTOCOL.md says what it holds. In a host's own environment "0" or "false" switches the lane off, for all its plugins.
const EnvLane = "PLUGINGEN_LANE"

// Limits on what is read from a peer.
const (
	MaxLine       = 16 << 10 // bytes of a handshake line; the longest real ones have about 1 KiB
	MaxNoiseLines = 1000     // lines that Read skips before the handshake, blank ones included
	MaxNoiseBytes = 1 << 20  // bytes that Read skips before the handshake
)
