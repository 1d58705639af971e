// Package host starts plugins, connects to them and ends them.
//
//	p, err := host.Open(ctx, host.Config{Handshake: greeter.Handshake, Path: "./english"})
//	if err != nil {
//		return err
//	}
//	defer p.Close()
//	g, err := host.Dispense(p, greeter.GreeterService)
//
// Plugins may be made with this module, with hashicorp/go-plugin (those that speak gRPC), or by hand in any language that
// has gRPC: runtime/PROTOCOL.md says how.
// Whatever a plugin does costs the host an error, never a panic, a hang or unbounded memory.
//
// Other users of the machine can neither call a plugin nor pose as one: Config.TLS says how, and SECURITY.md of package runtime
// against whom that helps and against whom it does not.
package host
