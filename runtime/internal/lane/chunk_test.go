package lane

import (
	"bytes"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// TestChunkIsBytesValue: whoever has the protocol's words alone reads and writes the same.
func TestChunkIsBytesValue(t *testing.T) {
	for _, value := range [][]byte{nil, {0}, bytes.Repeat([]byte{0xff}, maxChunk)} {
		want, err := proto.Marshal(wrapperspb.Bytes(value))
		if err != nil {
			t.Fatal(err)
		}
		got, err := proto.Marshal(&piece{&chunk{value}, nil})
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: %.20x, want %.20x; %v", len(value), got, want, err)
		}
		back := new(chunk)
		if err := proto.Unmarshal(want, back); err != nil || !bytes.Equal(back.Value, value) {
			t.Errorf("%d bytes came back as %d; %v", len(value), len(back.Value), err)
		}
		if ours := new(unsent).add(value); len(value) > 0 && !bytes.Equal(ours.Materialize(), want) {
			t.Errorf("%d bytes: the codec makes %.20x, want %.20x", len(value), ours.Materialize(), want)
		}
	}
}
