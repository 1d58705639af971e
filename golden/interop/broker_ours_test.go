package interop

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	grpctest "github.com/hashicorp/go-plugin/test/grpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/plugingen/plugingen/golden/interop/peers/goplugin/work"
	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/broker"
	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/transport"
)

func wrong(got string, err error) error {
	return errors.Join(fmt.Errorf("the callback answers %q", got), err)
}

func silentLog() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// certificate is one side's, made for one run.
func certificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

// tlsBoth is the configuration of a side as server and as client.
func tlsBoth(own tls.Certificate, peer []byte) (*tls.Config, error) {
	parsed, err := x509.ParseCertificate(peer)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return &tls.Config{
		Certificates: []tls.Certificate{own}, ClientAuth: tls.RequireAndVerifyClientCert,
		ClientCAs: pool, RootCAs: pool, ServerName: "localhost", MinVersion: tls.VersionTLS12,
	}, nil
}

func brokerConfig(dir string, secure *tls.Config) broker.Config {
	return broker.Config{
		Listen: func() (net.Listener, error) {
			return transport.Listen(transport.ListenConfig{Network: handshake.Unix, Dir: dir})
		},
		ServerTLS: secure, ClientTLS: secure, Logger: silentLog(),
	}
}

type ourBrokerService struct {
	grpctest.UnimplementedTestServer
	broker *broker.Broker
}

// Bidirectional calls the host back, and lets it call back in turn.
func (s ourBrokerService) Bidirectional(ctx context.Context, r *grpctest.BidirectionalRequest) (*grpctest.BidirectionalResponse, error) {
	conn, err := s.broker.Dial(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	if got, err := ping(ctx, conn); err != nil || got != "host" {
		return nil, wrong(got, err)
	}
	id := s.broker.NextID()
	go func() { _ = ourServe(context.WithoutCancel(ctx), s.broker, id, "plugin") }()
	return &grpctest.BidirectionalResponse{Id: id}, nil
}

func ourServe(ctx context.Context, b *broker.Broker, id uint32, name string) error {
	return b.AcceptAndServe(ctx, id, runtime.Raw("grpctest.PingPong", func(r grpc.ServiceRegistrar) { registerPingPong(r, name) }))
}

// serveOurBroker is the main of a plugin that is made by hand: broker and controller are all that it has.
func serveOurBroker() int {
	if err := serveOurBrokerPlugin(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func serveOurBrokerPlugin() error {
	l, err := transport.Listen(transport.ListenConfig{Network: handshake.Unix, Dir: os.Getenv("TMPDIR")})
	if err != nil {
		return err
	}
	line := handshake.Response{CoreVersion: 1, ProtocolVersion: work.Version, Network: handshake.Unix, Address: l.Addr().String(), Protocol: handshake.ProtocolGRPC}
	var secure *tls.Config
	var options []grpc.ServerOption
	if text := os.Getenv(handshake.EnvClientCert); text != "" {
		if secure, line.Certificate, err = pluginTLS(text); err != nil {
			return err
		}
		options = append(options, grpc.Creds(credentials.NewTLS(secure)))
	}
	cfg := brokerConfig(os.Getenv("TMPDIR"), secure)
	if os.Getenv(handshake.EnvMultiplexGRPC) == "true" {
		m := broker.NewMuxListener(l, silentLog())
		cfg.Mux, l, line.Multiplex = m, m, true
	}
	return serveHandMade(l, line, broker.New(cfg), grpc.NewServer(options...))
}

func pluginTLS(text string) (*tls.Config, []byte, error) {
	own, err := certificate()
	if err != nil {
		return nil, nil, err
	}
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, nil, errors.New("no certificate of the host")
	}
	secure, err := tlsBoth(own, block.Bytes)
	return secure, own.Certificate[0], err
}

func serveHandMade(l net.Listener, r handshake.Response, b *broker.Broker, s *grpc.Server) error {
	b.Register(s)
	s.RegisterService(&grpctest.Test_ServiceDesc, ourBrokerService{broker: b})
	stop := make(chan struct{})
	s.RegisterService(controller(func() { close(stop) }), nil)
	line, err := handshake.Build(r)
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	if _, err := io.WriteString(os.Stdout, line); err != nil {
		return err
	}
	<-stop
	_ = b.Close()
	s.GracefulStop()
	_ = l.Close()
	return <-served
}

func controller(shutdown func()) *grpc.ServiceDesc {
	return &grpc.ServiceDesc{ServiceName: "plugin.GRPCController", Methods: []grpc.MethodDesc{{
		MethodName: "Shutdown",
		Handler: func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			shutdown()
			return &emptypb.Empty{}, decode(&emptypb.Empty{})
		},
	}}}
}

// ourBrokerHost starts a plugin and attaches a broker to it, by hand.
func ourBrokerHost(t *testing.T, cmd *exec.Cmd, v brokerVariant, tmp string) (*broker.Broker, *grpc.ClientConn) {
	t.Helper()
	cmd.Env = append(cmd.Env, work.CookieKey+"="+work.CookieValue, handshake.EnvProtocolVersions+"="+strconv.Itoa(work.Version))
	if v.mux {
		cmd.Env = append(cmd.Env, handshake.EnvMultiplexGRPC+"=true")
	}
	own, err := certificate()
	if err != nil {
		t.Fatal(err)
	}
	if v.tls {
		text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: own.Certificate[0]})
		cmd.Env = append(cmd.Env, handshake.EnvClientCert+"="+string(text))
	}
	r := start(t, cmd)
	if r.Multiplex != v.mux {
		t.Fatalf("the plugin multiplexes: %t, want %t", r.Multiplex, v.mux)
	}
	var secure *tls.Config
	creds := insecure.NewCredentials()
	if v.tls {
		if secure, err = tlsBoth(own, r.Certificate); err != nil {
			t.Fatal(err)
		}
		creds = credentials.NewTLS(secure)
	}
	return attachBroker(t, r, creds, brokerConfig(tmp, secure), v.mux)
}

func start(t *testing.T, cmd *exec.Cmd) handshake.Response {
	t.Helper()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr := work.NewOutput()
	cmd.Stderr = stderr
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the plugin's standard error: %s", stderr)
		}
	})
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	r, err := handshake.Read(bufio.NewReader(stdout), nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func attachBroker(t *testing.T, r handshake.Response, creds credentials.TransportCredentials, cfg broker.Config, mux bool) (*broker.Broker, *grpc.ClientConn) {
	t.Helper()
	dial := func(ctx context.Context) (net.Conn, error) { return transport.Dial(ctx, r.Network, r.Address) }
	if mux {
		m := broker.NewMuxDialer(dial, silentLog())
		t.Cleanup(func() { _ = m.Close() })
		cfg.Mux, dial = m, m.Dial
	}
	cc, err := grpc.NewClient("passthrough:///localhost", grpc.WithTransportCredentials(creds),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return dial(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	b := broker.New(cfg)
	ran := make(chan error, 1)
	go func() { ran <- b.Run(context.Background(), cc) }()
	t.Cleanup(func() {
		_ = b.Close()
		if err := <-ran; err != nil {
			t.Errorf("run the broker: %v", err)
		}
		_ = cc.Close()
	})
	return b, cc
}
