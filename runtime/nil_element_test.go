package runtime_test

import (
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/plugingen/plugingen/runtime"
)

func TestNilElementCrosses(t *testing.T) {
	data, err := proto.Marshal(runtime.NilElement(new(wrapperspb.StringValue)))
	if err != nil {
		t.Fatal(err)
	}
	got := new(wrapperspb.StringValue)
	if err := proto.Unmarshal(data, got); err != nil || !runtime.IsNilElement(got) {
		t.Errorf("got %v, %v", got, err)
	}
	other := new(emptypb.Empty)
	if err := proto.Unmarshal([]byte{0x08, 0x01}, other); err != nil || runtime.IsNilElement(other) || runtime.IsNilElement(new(emptypb.Empty)) {
		t.Errorf("a message of a newer peer is nil: %v", err)
	}
}
