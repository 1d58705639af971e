package lane

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	pb "google.golang.org/grpc/interop/grpc_testing"
)

func TestServiceInfoIsGRPCs(t *testing.T) {
	ours, theirs := NewServer(ServerConfig{}), grpc.NewServer()
	for _, r := range []grpc.ServiceRegistrar{ours, theirs} {
		pb.RegisterTestServiceServer(r, newTestServer())
	}
	if got, want := sorted(ours.GetServiceInfo()), sorted(theirs.GetServiceInfo()); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	theirs.Stop()
}

// sorted orders the methods, which grpc gives in any order.
func sorted(infos map[string]grpc.ServiceInfo) map[string]grpc.ServiceInfo {
	for _, info := range infos {
		slices.SortFunc(info.Methods, func(a, b grpc.MethodInfo) int { return strings.Compare(a.Name, b.Name) })
	}
	return infos
}
