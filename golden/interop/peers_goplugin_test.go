package interop

import (
	"io"
	"testing"

	grpctest "github.com/hashicorp/go-plugin/test/grpc"
)

// testPeerUnderGoPlugin shows that the peers keep to go-plugin's rules, not merely to ours.
func testPeerUnderGoPlugin(t *testing.T, p foreign) {
	t.Run("plain", func(t *testing.T) { peerUnderGoPlugin(t, p, false) })
	t.Run("AutoMTLS", func(t *testing.T) { peerUnderGoPlugin(t, p, true) })
}

func peerUnderGoPlugin(t *testing.T, p foreign, autoMTLS bool) {
	tmp := shortTemp(t)
	cmd, log := p.command(t, nil), newOutput()
	client := goHost(version, cmd, autoMTLS, io.Discard, io.Discard, log)
	defer client.Kill()
	protocol, err := client.Client()
	if err != nil {
		t.Fatalf("start: %v\nlog: %s", err, log)
	}
	if got := client.NegotiatedVersion(); got != version {
		t.Errorf("negotiated version %d, want %d", got, version)
	}
	if err := protocol.Ping(); err != nil {
		t.Errorf("ping: %v", err)
	}
	dispensed, err := protocol.Dispense("test")
	if err != nil {
		t.Fatalf("dispense: %v", err)
	}
	exercise(t, dispensed.(grpctest.TestClient))
	client.Kill()
	checkStopped(t, cmd, tmp)
}
