package contestant

import (
	"context"
	"net"
	"net/http"

	"connectrpc.com/connect"

	"github.com/plugingen/plugingen/bench/bare"
	"github.com/plugingen/plugingen/bench/peer"
)

type connectGo struct{}

// Connect is connect-go with its own protocol over HTTP/2 without TLS.
func Connect() Contestant { return connectGo{} }

// Name is Contestant's.
func (connectGo) Name() string { return "connect-go" }

// Program is Contestant's.
func (connectGo) Program() string { return "./plugins/connect" }

// Open is Contestant's.
func (connectGo) Open(ctx context.Context, o Options) (Session, error) {
	process, err := startBare(ctx, o)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return process.Dial(ctx) },
		Protocols:   new(http.Protocols),
	}
	transport.Protocols.SetUnencryptedHTTP2(true)
	return &connectSession{connectWork: newConnectWork(transport), Process: process, transport: transport}, nil
}

type connectSession struct {
	connectWork
	noStreams
	*bare.Process
	transport *http.Transport
}

// Close is Session's.
func (s *connectSession) Close() error {
	s.transport.CloseIdleConnections()
	return s.Process.Close()
}

// connectWork has a client for each method, as generated code does.
type connectWork struct {
	echo  *connect.Client[peer.Note, peer.Note]
	put   *connect.Client[peer.Payload, peer.Size]
	get   *connect.Client[peer.Size, peer.Payload]
	print *connect.Client[peer.PrintRequest, peer.Empty]
	usage *connect.Client[peer.Empty, peer.Usage]
	hold  *connect.Client[peer.HoldRequest, peer.Empty]
}

func newConnectWork(t http.RoundTripper) connectWork {
	client := &http.Client{Transport: t}
	url := func(method string) string { return "http://plugin/" + peer.ServiceName + "/" + method }
	return connectWork{
		echo:  connect.NewClient[peer.Note, peer.Note](client, url("Echo")),
		put:   connect.NewClient[peer.Payload, peer.Size](client, url("Put")),
		get:   connect.NewClient[peer.Size, peer.Payload](client, url("Get")),
		print: connect.NewClient[peer.PrintRequest, peer.Empty](client, url("Print")),
		usage: connect.NewClient[peer.Empty, peer.Usage](client, url("GetUsage")),
		hold:  connect.NewClient[peer.HoldRequest, peer.Empty](client, url("Hold")),
	}
}

// connectCall spares each method the wrapping and unwrapping.
func connectCall[Req, Resp any](ctx context.Context, c *connect.Client[Req, Resp], req *Req) (*Resp, error) {
	resp, err := c.CallUnary(ctx, connect.NewRequest(req))
	if err != nil {
		return nil, err
	}
	return resp.Msg, nil
}

// Echo is load.Work's.
func (c connectWork) Echo(ctx context.Context, id int64, name string, value []byte) (int64, string, []byte, error) {
	resp, err := connectCall(ctx, c.echo, &peer.Note{Id: id, Name: name, Value: value})
	return resp.GetId(), resp.GetName(), resp.GetValue(), err
}

// Put is load.Work's.
func (c connectWork) Put(ctx context.Context, payload []byte) (int64, error) {
	resp, err := connectCall(ctx, c.put, &peer.Payload{Payload: payload})
	return resp.GetSize(), err
}

// Get is load.Work's.
func (c connectWork) Get(ctx context.Context, size int64) ([]byte, error) {
	resp, err := connectCall(ctx, c.get, &peer.Size{Size: size})
	return resp.GetPayload(), err
}

// Print is load.Work's.
func (c connectWork) Print(ctx context.Context, format string, lines int64) error {
	_, err := connectCall(ctx, c.print, &peer.PrintRequest{Format: format, Lines: lines})
	return err
}

// Hold is load.Work's.
func (c connectWork) Hold(ctx context.Context, micros int64) error {
	_, err := connectCall(ctx, c.hold, &peer.HoldRequest{Micros: micros})
	return err
}

// Usage is load.Work's.
func (c connectWork) Usage(ctx context.Context) ([]int64, error) {
	resp, err := connectCall(ctx, c.usage, &peer.Empty{})
	return resp.GetUsage(), err
}
