package peer

import (
	"context"

	"github.com/plugingen/plugingen/bench/load"
)

// Invoker makes a unary call of the service's method, such as "Echo".
type Invoker func(ctx context.Context, method string, req, resp any) error

// Client is load.Work over any library that carries protobuf messages.
type Client struct {
	invoke Invoker
}

var _ load.Work = Client{}

// NewClient returns a client that calls through invoke.
func NewClient(invoke Invoker) Client { return Client{invoke: invoke} }

// Echo is load.Work's.
func (c Client) Echo(ctx context.Context, id int64, name string, value []byte) (int64, string, []byte, error) {
	resp := new(Note)
	err := c.invoke(ctx, "Echo", &Note{Id: id, Name: name, Value: value}, resp)
	return resp.GetId(), resp.GetName(), resp.GetValue(), err
}

// Put is load.Work's.
func (c Client) Put(ctx context.Context, payload []byte) (int64, error) {
	resp := new(Size)
	err := c.invoke(ctx, "Put", &Payload{Payload: payload}, resp)
	return resp.GetSize(), err
}

// Get is load.Work's.
func (c Client) Get(ctx context.Context, size int64) ([]byte, error) {
	resp := new(Payload)
	err := c.invoke(ctx, "Get", &Size{Size: size}, resp)
	return resp.GetPayload(), err
}

// Print is load.Work's.
func (c Client) Print(ctx context.Context, format string, lines int64) error {
	return c.invoke(ctx, "Print", &PrintRequest{Format: format, Lines: lines}, new(Empty))
}

// Usage is load.Work's.
func (c Client) Usage(ctx context.Context) ([]int64, error) {
	resp := new(Usage)
	err := c.invoke(ctx, "GetUsage", &Empty{}, resp)
	return resp.GetUsage(), err
}

// Hold is load.Work's.
func (c Client) Hold(ctx context.Context, micros int64) error {
	return c.invoke(ctx, "Hold", &HoldRequest{Micros: micros}, new(Empty))
}
