package interop

import (
	"bufio"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	grpcpeer "google.golang.org/grpc/peer"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/plugingen/plugingen/golden/interop/peers/goplugin/goplug"
	"github.com/plugingen/plugingen/golden/interop/peers/goplugin/work"
	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/host"
	"github.com/plugingen/plugingen/runtime/transport"
)

// keyEnv names the key of the plugin that is made by hand: one of newKey's.
const keyEnv = "INTEROP_KEY"

// keys are those that a peer may have. P-521 is go-plugin's.
func keys() []string { return []string{"P-256", "P-384", "P-521", "Ed25519", "RSA"} }

func newKey(kind string) (crypto.Signer, error) {
	switch kind {
	case "P-256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "P-384":
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "P-521":
		return ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case "RSA":
		return rsa.GenerateKey(rand.Reader, 2048)
	case "Ed25519":
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	default:
		return nil, fmt.Errorf("no key is called %q", kind)
	}
}

// keyName is the inverse of newKey.
func keyName(public crypto.PublicKey) string {
	switch key := public.(type) {
	case *ecdsa.PublicKey:
		return key.Curve.Params().Name
	case *rsa.PublicKey:
		return "RSA"
	case ed25519.PublicKey:
		return "Ed25519"
	default:
		return fmt.Sprintf("%T", public)
	}
}

// certificate is one side's, made for one run, as go-plugin makes them but for the key.
func certificate(kind string) (tls.Certificate, error) {
	key, err := newKey(kind)
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

// mutual is the configuration of a side as server and as client.
func mutual(own tls.Certificate, peer []byte) (credentials.TransportCredentials, error) {
	parsed, err := x509.ParseCertificate(peer)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{own}, ClientAuth: tls.RequireAndVerifyClientCert,
		ClientCAs: pool, RootCAs: pool, ServerName: "localhost", MinVersion: tls.VersionTLS12,
	}), nil
}

func toPEM(certificate tls.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]}))
}

// A host that is made by hand, with keys of all kinds, meets our plugin.
func TestOurPluginUnderHostsWithKeys(t *testing.T) {
	for _, kind := range keys() {
		t.Run(kind, func(t *testing.T) {
			tmp := tempDir(t)
			own, err := certificate(kind)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), work.Patience)
			defer cancel()
			cmd := exec.CommandContext(ctx, self(t))
			cmd.Env = append(pluginEnv(tmp, "ours"), work.CookieKey+"="+work.CookieValue,
				handshake.EnvProtocolVersions+"="+strconv.Itoa(work.Version), handshake.EnvClientCert+"="+toPEM(own))
			line := start(t, cmd)
			secure, err := mutual(own, line.Certificate)
			if err != nil {
				t.Fatal(err)
			}
			callAndStop(ctx, t, line, secure)
			if err := cmd.Wait(); err != nil {
				t.Errorf("the plugin ended with %v", err)
			}
			checkEmpty(t, tmp)
		})
	}
}

// start returns what the plugin says.
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
	line, err := handshake.Read(bufio.NewReader(stdout), nil)
	if err != nil {
		t.Fatal(err)
	}
	return line
}

func callAndStop(ctx context.Context, t *testing.T, line handshake.Response, creds credentials.TransportCredentials) {
	t.Helper()
	dial := func(ctx context.Context, _ string) (net.Conn, error) {
		return transport.Dial(ctx, line.Network, line.Address)
	}
	conn, err := grpc.NewClient("passthrough:///localhost", grpc.WithTransportCredentials(creds), grpc.WithContextDialer(dial))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if got, err := work.Double(ctx, conn); err != nil || got != 42 {
		t.Errorf("Double: %d, %v", got, err)
	}
	if err := conn.Invoke(ctx, "/plugin.GRPCController/Shutdown", &emptypb.Empty{}, &emptypb.Empty{}); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

// A plugin that is made by hand, with keys of all kinds, meets our host.
func TestPluginsWithKeysUnderOurHost(t *testing.T) {
	for _, kind := range keys() {
		t.Run(kind, func(t *testing.T) {
			tmp := tempDir(t)
			cfg := hostConfig(t, "keys", tmp)
			cfg.Env = append(cfg.Env, keyEnv+"="+kind)
			cfg.TLS, cfg.StopTimeout = host.TLSMutual, noTerm
			if got := keyOf(t, cfg); got != kind {
				t.Errorf("the plugin's key is %s, want %s", got, kind)
			}
			checkEmpty(t, tmp)
		})
	}
}

// keyOf starts the plugin, calls it, stops it, and returns what kind of key it has.
func keyOf(t *testing.T, cfg host.Config) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), work.Patience)
	defer cancel()
	p, err := host.Open(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close() }()
	out, at := &wrapperspb.Int32Value{}, &grpcpeer.Peer{}
	if err := p.Conn().Invoke(ctx, "/"+work.ServiceName+"/Double", wrapperspb.Int32(21), out, grpc.Peer(at)); err != nil || out.Value != 42 {
		t.Fatalf("Double: %d, %v", out.Value, err)
	}
	if err := p.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	return keyName(at.AuthInfo.(credentials.TLSInfo).State.PeerCertificates[0].PublicKey)
}

// serveKeys is the main of that plugin.
func serveKeys() int {
	if err := serveByHand(os.Getenv(keyEnv)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func serveByHand(kind string) error {
	block, _ := pem.Decode([]byte(os.Getenv(handshake.EnvClientCert)))
	if block == nil {
		return errors.New("no certificate of the host")
	}
	own, err := certificate(kind)
	if err != nil {
		return err
	}
	secure, err := mutual(own, block.Bytes)
	if err != nil {
		return err
	}
	l, err := transport.Listen(transport.ListenConfig{Network: handshake.Unix, Dir: os.Getenv(handshake.EnvUnixSocketDir)})
	if err != nil {
		return err
	}
	line, err := handshake.Build(handshake.Response{
		ProtocolVersion: work.Version, Network: handshake.Unix, Address: l.Addr().String(), Protocol: handshake.ProtocolGRPC, Certificate: own.Certificate[0],
	})
	if err != nil {
		return err
	}
	s := grpc.NewServer(grpc.Creds(secure))
	work.Server{Version: work.Version}.Register(s)
	grpc_health_v1.RegisterHealthServer(s, health.NewServer())
	s.RegisterService(controller(func() { go s.GracefulStop() }), nil)
	if _, err := io.WriteString(os.Stdout, line); err != nil {
		return err
	}
	return s.Serve(l)
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

// go-plugin itself has keys on P-521, as host and as plugin: that is what the matrix meets with TLS.
func TestGoPluginsKeys(t *testing.T) {
	t.Run("its plugin", func(t *testing.T) {
		cfg := hostConfig(t, "go-plugin", tempDir(t))
		cfg.TLS = host.TLSMutual
		if got := keyOf(t, cfg); got != "P-521" {
			t.Errorf("the plugin's key is %s", got)
		}
	})
	t.Run("its host", func(t *testing.T) {
		tmp := tempDir(t)
		cmd, client := goPluginHost(t, tmp, "ours", func(cfg *goplugin.ClientConfig) { cfg.AutoMTLS = true })
		if _, err := client.Client(); err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode([]byte(value(cmd.Env, handshake.EnvClientCert)))
		if block == nil {
			t.Fatal("the host has no certificate")
		}
		shown, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		if got := keyName(shown.PublicKey); got != "P-521" {
			t.Errorf("the host's key is %s", got)
		}
		client.Kill()
		checkStopped(t, cmd, tmp)
	})
}

// goPluginHost is a host of go-plugin for this binary as the plugin that mode names.
func goPluginHost(t *testing.T, tmp, mode string, change func(*goplugin.ClientConfig)) (*exec.Cmd, *goplugin.Client) {
	t.Helper()
	log := work.NewOutput()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log of the host:\n%s", log)
		}
	})
	cmd := exec.Command(self(t))
	cmd.Env = pluginEnv(tmp, mode)
	cfg := &goplugin.ClientConfig{
		HandshakeConfig:  goplug.Handshake(),
		Plugins:          goplug.Set(),
		Cmd:              cmd,
		SkipHostEnv:      true,
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		Logger:           hclog.New(&hclog.LoggerOptions{Output: log, Level: hclog.Trace}),
	}
	change(cfg)
	client := goplugin.NewClient(cfg)
	t.Cleanup(client.Kill)
	return cmd, client
}
