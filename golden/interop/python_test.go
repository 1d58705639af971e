package interop

import "testing"

// python is the peer in Python. Debian's modules belong to Debian's interpreter, which need not be the first in PATH.
func python(t *testing.T) foreign {
	t.Helper()
	return foreign{
		interpreter: interpreter(t,
			"Python with gRPC: apt-get install python3-grpcio python3-protobuf python3-cryptography",
			[]string{"-c", "import grpc, cryptography, google.protobuf"}, "python3", "/usr/bin/python3"),
		plugin: script(t, "python/plugin.py"),
		host:   script(t, "python/host.py"),
		stdio:  true,
	}
}

func TestPythonPluginUnderOurHost(t *testing.T) { testPeerPlugin(t, python(t)) }

func TestOurPluginUnderPythonHost(t *testing.T) { testPeerHost(t, python(t)) }

func TestPythonPluginAlone(t *testing.T) { testPeerAlone(t, python(t)) }

func TestPythonPluginUnderGoPluginHost(t *testing.T) { testPeerUnderGoPlugin(t, python(t)) }
