package interop

import "testing"

// node is the peer in JavaScript. Its modules are looked for beside its scripts.
func node(t *testing.T) foreign {
	t.Helper()
	p := foreign{plugin: script(t, "node/plugin.js"), host: script(t, "node/host.js")}
	p.interpreter = interpreter(t,
		"Node.js 18 or later, and gRPC for it: npm ci --prefix golden/interop/peers/node",
		[]string{"--eval", `require(process.argv[1])`, script(t, "node/node_modules/@grpc/grpc-js")}, "node")
	return p
}

func TestNodePluginUnderOurHost(t *testing.T) { testPeerPlugin(t, node(t)) }

func TestOurPluginUnderNodeHost(t *testing.T) { testPeerHost(t, node(t)) }

func TestNodePluginAlone(t *testing.T) { testPeerAlone(t, node(t)) }

func TestNodePluginUnderGoPluginHost(t *testing.T) { testPeerUnderGoPlugin(t, node(t)) }
