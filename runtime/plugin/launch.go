package plugin

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/transport"
)

const maxPort = 65535

// launch is what the host said in the environment.
type launch struct {
	versions               []int
	badVersions            []string
	transports             []string
	minPort, maxPort       string
	socketDir, socketGroup string
	clientCert             string
}

// takeLaunch reads the host's words and unsets them, and the cookie: what this process starts is not that host's plugin.
func takeLaunch(cookieKey string) launch {
	var l launch
	l.versions, l.badVersions = handshake.ParseVersions(take(handshake.EnvProtocolVersions))
	l.transports = handshake.ParseTransports(take(handshake.EnvTransports))
	l.minPort, l.maxPort = take(handshake.EnvMinPort), take(handshake.EnvMaxPort)
	l.socketDir, l.socketGroup = take(handshake.EnvUnixSocketDir), take(handshake.EnvUnixSocketGroup)
	l.clientCert = take(handshake.EnvClientCert)
	take(handshake.EnvMultiplexGRPC) // a line without a seventh field tells the host that we do not multiplex
	take(cookieKey)
	return l
}

func take(key string) string {
	value := os.Getenv(key)
	_ = os.Unsetenv(key) // fails only for names that no environment can hold
	return value
}

// listen opens the listener that both sides can use.
func (l launch) listen(served []string) (net.Listener, error) {
	network, err := handshake.NegotiateTransport(served, l.transports)
	if err != nil {
		return nil, err
	}
	cfg := transport.ListenConfig{Network: network, Dir: l.socketDir, Group: l.socketGroup}
	if network == handshake.TCP {
		cfg = transport.ListenConfig{Network: network}
		if cfg.MinPort, cfg.MaxPort, err = l.ports(); err != nil {
			return nil, err
		}
	}
	return transport.Listen(cfg)
}

// negotiate returns the version to announce. When it is not one that the host offered, the host objects.
func (l launch) negotiate(cfg Config) int {
	if len(l.badVersions) > 0 {
		cfg.Logger.Warn("the host offers protocol versions that are no numbers; they are ignored",
			"variable", handshake.EnvProtocolVersions, "items", strings.Join(l.badVersions, ", "))
	}
	served := cfg.Handshake.Versions()
	version, ok := handshake.NegotiateVersion(served, l.versions)
	if !ok && len(l.versions) > 0 {
		cfg.Logger.Warn("the host offers no protocol version that this plugin serves",
			"offered", handshake.FormatVersions(l.versions), "served", handshake.FormatVersions(served), "announced", version)
	}
	return version
}

// ports is the host's range; 0, 0 when it gave none.
func (l launch) ports() (lowest, highest int, err error) {
	if l.minPort == "" && l.maxPort == "" {
		return 0, 0, nil
	}
	lowest, err = parsePort(handshake.EnvMinPort, l.minPort)
	if err != nil {
		return 0, 0, err
	}
	highest, err = parsePort(handshake.EnvMaxPort, l.maxPort)
	if err == nil && lowest > highest {
		err = portError(fmt.Errorf("%s %d is above %s %d", handshake.EnvMinPort, lowest, handshake.EnvMaxPort, highest))
	}
	return lowest, highest, err
}

// parsePort takes 0 as well: 0 and 0 mean any port.
func parsePort(name, value string) (int, error) {
	port, err := strconv.ParseUint(value, 10, 16)
	if err != nil {
		return 0, portError(fmt.Errorf("%s is %.40q, not a port within 0 and %d", name, value, maxPort))
	}
	return int(port), nil
}

func portError(err error) error {
	return &Error{Op: "read the port range", Hint: "the host sets it; correct it there", Err: err}
}
