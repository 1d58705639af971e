package plugin

import (
	"fmt"
	"log/slog"
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
	multiplex              string
	lane                   string
}

// takeLaunch reads the host's words and unsets them, and the cookie: what this process starts is not that host's plugin.
func takeLaunch(cookieKey string) launch {
	var l launch
	l.versions, l.badVersions = handshake.ParseVersions(take(handshake.EnvProtocolVersions))
	l.transports = handshake.ParseTransports(take(handshake.EnvTransports))
	l.minPort, l.maxPort = take(handshake.EnvMinPort), take(handshake.EnvMaxPort)
	l.socketDir, l.socketGroup = take(handshake.EnvUnixSocketDir), take(handshake.EnvUnixSocketGroup)
	l.clientCert = take(handshake.EnvClientCert)
	l.multiplex = take(handshake.EnvMultiplexGRPC)
	l.lane = take(handshake.EnvLane)
	take(cookieKey)
	return l
}

func take(key string) string {
	value := os.Getenv(key)
	_ = os.Unsetenv(key) // fails only for names that no environment can hold
	return value
}

// place is where both sides can use a listener.
func (l launch) place(served []string) (transport.ListenConfig, error) {
	network, err := handshake.NegotiateTransport(served, l.transports)
	if err != nil || network != handshake.TCP {
		return transport.ListenConfig{Network: network, Dir: l.socketDir, Group: l.socketGroup}, err
	}
	lowest, highest, err := l.ports()
	return transport.ListenConfig{Network: network, MinPort: lowest, MaxPort: highest}, err
}

// multiplexes says whether all connections share one, as go-plugin's plugins do it: when the variable is true, and not because
// it is there. The handshake line then says so; theirs says so for any value.
func (l launch) multiplexes(logger *slog.Logger) bool {
	yes, err := strconv.ParseBool(l.multiplex)
	if err != nil && l.multiplex != "" {
		logger.Warn("the host neither wants connections to be multiplexed nor not; they are not",
			"variable", handshake.EnvMultiplexGRPC, "value", fmt.Sprintf("%.40q", l.multiplex))
	}
	return yes
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
