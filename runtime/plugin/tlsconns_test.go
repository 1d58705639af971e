package plugin

import (
	"crypto/tls"
	"io"
	"log/slog"
	"testing"

	"google.golang.org/grpc/credentials"

	"github.com/plugingen/plugingen/runtime/internal/mtls"
)

// shake accepts a peer that shakes hands as client and then says word, and reads that.
func shake(t *testing.T, l *conns, server, client *tls.Config, word string) *tls.Conn {
	t.Helper()
	raw, accepted := join(t, l, "")
	peer := tls.Client(raw, client)
	failed := make(chan error, 1)
	go func() {
		_, err := io.WriteString(peer, word)
		failed <- err
	}()
	creds := tlsCredentials{credentials.NewTLS(server), &refusals{logger: slog.New(slog.DiscardHandler)}}
	plain, _, err := creds.ServerHandshake(accepted)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(plain, make([]byte, len(word))); err != nil {
		t.Fatal(err)
	}
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	return peer
}

// What TLS itself says is much longer than a first word, and says nothing: it costs a stranger as little as a connection.
func TestTLSIsNoFirstWord(t *testing.T) {
	id, err := mtls.New()
	if err != nil {
		t.Fatal(err)
	}
	client := id.Client(id.DER())
	client.NextProtos = []string{"h2"}
	l := newConns(listenUnix(t), 9)
	host := shake(t, l, id.Server(id.DER()), client, preface)
	shake(t, l, id.Server(id.DER()), client, "")
	shake(t, l, id.Server(id.DER()), client, preface[:len(preface)-1])
	if _, plain := join(t, l, preface); !plain.(*conn).spoke() {
		t.Error("a connection without TLS is not heard")
	}
	for range 2 {
		if !l.dropSilent() {
			t.Error("a connection that has only shaken hands is not silent")
		}
	}
	if l.dropSilent() {
		t.Error("a connection that has spoken is silent")
	}
	if !isOpen(t, host.NetConn()) {
		t.Error("the host was cut off")
	}
}

// gRPC clones the credentials that it is given.
func TestCloneStillListens(t *testing.T) {
	creds := tlsCredentials{credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS13}), &refusals{}}
	if _, ok := creds.Clone().(tlsCredentials); !ok {
		t.Errorf("the clone is a %T", creds.Clone())
	}
}
