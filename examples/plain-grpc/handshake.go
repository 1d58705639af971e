// Package plain is what the host and the plugins of a plain gRPC service agree on.
package plain

import "github.com/plugingen/plugingen/runtime/handshake"

// Handshake tells plugins from other programs. It is no secret.
func Handshake() handshake.Config {
	return handshake.Config{MagicCookieKey: "PLAIN_GRPC_PLUGIN", MagicCookieValue: "5b0f5a9e"}
}
