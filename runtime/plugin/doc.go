// Package plugin serves a contract to the host that started this process.
//
// [Main] is the whole main function of a plugin; [Serve] is for a main that wants to do more. Both speak the protocol of
// hashicorp/go-plugin, so that its hosts can start these plugins too.
//
// # Output
//
// Standard output belongs to the protocol. What the program, its C code or its children print on it while it serves goes
// to the host through the stdio service: nothing is lost while a host reads, also not at an orderly stop, and a host that
// does not read makes the oldest of it be dropped, never the plugin wait for ever. What is printed before, by main or by
// an init, would break the handshake under a go-plugin host; package early next door makes it go to standard error.
//
// Standard error is left alone: logs, panics and C code reach the host at once and in order, even from a dying process.
// Package pluginlog next door writes log/slog records there so that any host shows them with level and attributes.
//
// # Calling the host back
//
// Every plugin has a broker, which makes further connections to its host in either direction; package broker says how they
// are made. A method finds it with broker.FromContext, and a service that keeps it gets it when it is registered:
//
//	runtime.Raw("kv.KV", func(r grpc.ServiceRegistrar) {
//		proto.RegisterKVServer(r, &server{broker: broker.FromRegistrar(r)})
//	})
//
// Connections are made as the main one is: on the same network, in the same folder or range of ports, with the same TLS; over
// the main one itself when the host wants them multiplexed.
//
// # Security
//
// A host that asks for mutual TLS gets it, or a plugin that does not start. Without TLS a unix socket is for processes of
// this user alone, and tcp for every user of the machine; see [Config.TLSConfig] and SECURITY.md of package runtime.
//
// # Life
//
// A plugin stops in good order when its host asks (the Shutdown call), on SIGTERM and when Serve's context ends: no new
// calls, those in flight may finish for [Config].StopTimeout, over brokered connections too, then what was printed is handed over. It ends at once when
// its host dies, however it dies: on Unix the system reports it when nobody can read the plugin's standard output any more,
// so a host must keep that open. SIGINT is the host's, as Ctrl-C in a terminal reaches both.
// After the start the environment holds neither the cookie nor the protocol's PLUGIN_ variables, so that child processes
// and plugins of this plugin do not take them for theirs.
package plugin
