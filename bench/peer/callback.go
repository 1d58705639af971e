package peer

import (
	"context"

	"google.golang.org/grpc"
)

// Full names of the services that callbacks need.
const (
	callerName = "plugingen.bench.peer.Caller"
	backName   = "plugingen.bench.peer.Back"
)

// CallerServer is a plugin that calls back, as generated stubs name it.
type CallerServer interface {
	CallBack(context.Context, *CallBackRequest) (*Empty, error)
}

// RegisterCallerServer makes r serve server.
func RegisterCallerServer(r grpc.ServiceRegistrar, server CallerServer) {
	r.RegisterService(&grpc.ServiceDesc{
		ServiceName: callerName,
		HandlerType: (*CallerServer)(nil),
		Methods:     []grpc.MethodDesc{unary(callerName, "CallBack", CallerServer.CallBack)},
	}, server)
}

// BackServer is what is called back, as generated stubs name it.
type BackServer interface {
	Call(context.Context, *Size) (*Size, error)
}

// RegisterBackServer makes r serve server.
func RegisterBackServer(r grpc.ServiceRegistrar, server BackServer) {
	r.RegisterService(&grpc.ServiceDesc{
		ServiceName: backName,
		HandlerType: (*BackServer)(nil),
		Methods:     []grpc.MethodDesc{unary(backName, "Call", BackServer.Call)},
	}, server)
}

// CallBack asks the plugin to call back times times, through what the broker has at id.
func CallBack(ctx context.Context, conn grpc.ClientConnInterface, id uint32, times int64) error {
	req := &CallBackRequest{Broker: id, Times: times}
	return conn.Invoke(ctx, "/"+callerName+"/CallBack", req, new(Empty), grpc.StaticMethod())
}

// Call calls back.
func Call(ctx context.Context, conn grpc.ClientConnInterface, n int64) (int64, error) {
	resp := new(Size)
	err := conn.Invoke(ctx, "/"+backName+"/Call", &Size{Size: n}, resp, grpc.StaticMethod())
	return resp.GetSize(), err
}
