package goplug

import (
	"context"
	"net/rpc"

	"github.com/plugingen/plugingen/bench/load"
)

// Note, PrintArgs: what travels by gob.
type (
	// Note is the small message.
	Note struct {
		ID    int64
		Name  string
		Value []byte
	}
	// PrintArgs are Print's.
	PrintArgs struct {
		Format string
		Lines  int64
	}
)

// rpcServer has net/rpc's form of the work; net/rpc knows no context.
type rpcServer struct {
	work load.Work
}

func (s *rpcServer) Echo(args Note, reply *Note) (err error) {
	reply.ID, reply.Name, reply.Value, err = s.work.Echo(context.Background(), args.ID, args.Name, args.Value)
	return err
}

func (s *rpcServer) Put(args []byte, reply *int64) (err error) {
	*reply, err = s.work.Put(context.Background(), args)
	return err
}

func (s *rpcServer) Get(args int64, reply *[]byte) (err error) {
	*reply, err = s.work.Get(context.Background(), args)
	return err
}

func (s *rpcServer) Print(args PrintArgs, _ *int64) error {
	return s.work.Print(context.Background(), args.Format, args.Lines)
}

func (s *rpcServer) Hold(args int64, _ *int64) error {
	return s.work.Hold(context.Background(), args)
}

func (s *rpcServer) Usage(_ int64, reply *[]int64) (err error) {
	*reply, err = s.work.Usage(context.Background())
	return err
}

type rpcClient struct {
	client *rpc.Client
}

var _ load.Work = rpcClient{}

// call honours ctx as far as net/rpc lets it: the call itself goes on.
func (c rpcClient) call(ctx context.Context, method string, args, reply any) error {
	if ctx.Done() == nil {
		return c.client.Call("Plugin."+method, args, reply)
	}
	call := c.client.Go("Plugin."+method, args, reply, make(chan *rpc.Call, 1))
	select {
	case <-call.Done:
		return call.Error
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Echo is load.Work's.
func (c rpcClient) Echo(ctx context.Context, id int64, name string, value []byte) (int64, string, []byte, error) {
	var reply Note
	err := c.call(ctx, "Echo", Note{id, name, value}, &reply)
	return reply.ID, reply.Name, reply.Value, err
}

// Put is load.Work's.
func (c rpcClient) Put(ctx context.Context, payload []byte) (size int64, err error) {
	err = c.call(ctx, "Put", payload, &size)
	return size, err
}

// Get is load.Work's.
func (c rpcClient) Get(ctx context.Context, size int64) (payload []byte, err error) {
	err = c.call(ctx, "Get", size, &payload)
	return payload, err
}

// Print is load.Work's.
func (c rpcClient) Print(ctx context.Context, format string, lines int64) error {
	return c.call(ctx, "Print", PrintArgs{format, lines}, new(int64))
}

// Hold is load.Work's.
func (c rpcClient) Hold(ctx context.Context, micros int64) error {
	return c.call(ctx, "Hold", micros, new(int64))
}

// Usage is load.Work's.
func (c rpcClient) Usage(ctx context.Context) (usage []int64, err error) {
	err = c.call(ctx, "Usage", int64(0), &usage)
	return usage, err
}
