package lane

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// What is split is the message, and what is joined, too, whatever stands beside the large field.
func TestBulk(t *testing.T) {
	large := pattern(bulkSize)
	for name, m := range map[string]proto.Message{
		"bytes alone":  wrapperspb.Bytes(large),
		"nested":       &pb.SimpleRequest{Payload: &pb.Payload{Body: large}},
		"with others":  &pb.SimpleRequest{ResponseSize: 5, FillUsername: true, Payload: &pb.Payload{Type: 1, Body: large}, ResponseStatus: &pb.EchoStatus{Code: 3, Message: "m"}},
		"two large":    &pb.StreamingOutputCallRequest{Payload: &pb.Payload{Body: large}, ResponseStatus: &pb.EchoStatus{Message: string(large)}},
		"a string":     wrapperspb.String(strings.Repeat("ä", bulkSize/2)),
		"in a string":  &pb.SimpleResponse{Username: strings.Repeat("x", bulkSize), OauthScope: "scope"},
		"small":        wrapperspb.Bytes(large[:100]),
		"unknown left": withUnknown(&pb.SimpleRequest{Payload: &pb.Payload{Body: large}}),
	} {
		t.Run(name, func(t *testing.T) {
			want, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			s, err := measure(m, len(want))
			if err != nil {
				t.Fatal(err)
			}
			encoded := want
			prefix, bulk, ok := splitBulk(s)
			if ok {
				encoded = append(prefix, bulk...)
			}
			if len(encoded) != len(want) {
				t.Errorf("%d bytes, want %d", len(encoded), len(want))
			}
			for _, b := range [][]byte{encoded, want} {
				got := m.ProtoReflect().New().Interface()
				if err := decodeOwn(b, got); err != nil || !proto.Equal(got, m) {
					t.Errorf("came back different: %v", err)
				}
			}
			t.Logf("split %v", ok)
		})
	}
}

func withUnknown(m proto.Message) proto.Message {
	m.ProtoReflect().SetUnknown([]byte{0xf8, 0x7f, 1}) // field 2047, varint
	return m
}

// Text that is none is refused on both ends, as protobuf does it.
func TestBulkOfInvalidText(t *testing.T) {
	invalid := "\xff" + strings.Repeat("x", bulkSize)
	s, err := measure(wrapperspb.String(invalid), 2*bulkSize)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, ok := splitBulk(s); ok {
		t.Error("it was split")
	}
	encoded, err := proto.Marshal(wrapperspb.Bytes([]byte(invalid))) // the same on the wire
	if err != nil {
		t.Fatal(err)
	}
	if err := decodeOwn(encoded, &wrapperspb.StringValue{}); status.Code(err) != codes.Internal {
		t.Errorf("%v, want Internal", err)
	}
}

// Encodings that say a field twice, or are cut short, come to what protobuf makes of them.
func FuzzJoinBulk(f *testing.F) {
	twice, _ := proto.Marshal(&pb.SimpleRequest{Payload: &pb.Payload{Body: pattern(bulkSize)}})
	f.Add(append(twice, 0x1a, 2, 8, 1), []byte{})
	f.Add(twice[:len(twice)-1], []byte{0x1a, 0})
	f.Fuzz(func(t *testing.T, b, before []byte) {
		b = append(before, b...)
		if len(b) < 100<<10 { // makes it large without knowing how
			b = append(b, twice...)
		}
		var want, got pb.SimpleRequest
		errWant, errGot := proto.Unmarshal(b, &want), decodeOwn(bytes.Clone(b), &got)
		if (errWant == nil) != (errGot == nil) {
			t.Fatalf("error %v, want %v", errGot, errWant)
		}
		if errWant == nil && !proto.Equal(&want, &got) {
			t.Fatal("decoded differently")
		}
	})
}

// The caller may change its message as soon as the call has returned, also when it was given up in the midst.
func TestBulkIsNotReadAfterwards(t *testing.T) {
	client := openLane(t, setup{service: newTestServer()}, NewCarrier)
	c := pb.NewTestServiceClient(client)
	body := bytes.Clone(pattern(4 << 20))
	for i := range 20 {
		ctx, cancel := withinMicros(i * 100)
		_, err := c.UnaryCall(ctx, &pb.SimpleRequest{Payload: &pb.Payload{Body: body}})
		cancel()
		if code := status.Code(err); code != codes.OK && code != codes.DeadlineExceeded {
			t.Error(err)
		}
		clear(body) // the race detector looks at this
	}
}

// What was given up in the midst of a part is still sent as it was, whatever the caller makes of its memory meanwhile.
func TestGivenUpPartIsSentAsItWas(t *testing.T) {
	clientEnd, serverEnd := socketPair(t)
	serverEnd.Write(serverPreface())
	client := NewClient(NewCarrier(clientEnd), ClientConfig{})
	if err := client.Ready(within(t)); err != nil {
		t.Fatal(err)
	}
	body := bytes.Clone(pattern(4 << 20)) // much more than the socket takes
	ctx, cancel := context.WithCancel(within(t))
	failed := make(chan error, 1)
	go func() {
		_, err := pb.NewTestServiceClient(client).UnaryCall(ctx, &pb.SimpleRequest{Payload: &pb.Payload{Body: body}})
		failed <- err
	}()
	r := newFrameReader(serverEnd)
	if _, err := readPreface(r); err != nil {
		t.Fatal(err)
	}
	h, err := r.next() // the peer reads no more: no further part can be completed
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := receive(t, failed); status.Code(err) != codes.Canceled {
		t.Error(err)
	}
	clear(body)
	for {
		b, err := r.take(int(h.size))
		if err != nil {
			t.Fatal(err)
		}
		if h.kind == kindReqData && bytes.Contains(b, make([]byte, 8)) {
			t.Error("a part was sent from memory that was the caller's again")
		}
		if h.kind == kindCancel {
			break
		}
		if h, err = r.next(); err != nil {
			t.Fatal(err)
		}
	}
	client.Close()
	serverEnd.Close()
}

// A cancel that comes after the end of its call does not reach the next call with the id.
func TestLateCancelIsNotSent(t *testing.T) {
	clientEnd, serverEnd := socketPair(t)
	client := NewClient(NewCarrier(clientEnd), ClientConfig{})
	first, second := &call{answered: make(chan struct{}, 1)}, &call{answered: make(chan struct{}, 1)}
	id := must(client.table.add(nil, first, nil))(t)
	turn, ok := client.table.abandon(id, first, nil)
	if _, ended := client.table.end(id); !ok || !ended {
		t.Fatal("the call was not there")
	}
	if again := must(client.table.add(nil, second, nil))(t); again != id {
		t.Fatalf("ids %d and %d", id, again)
	}
	client.sendCancel(id, turn)
	client.Close()
	sent, err := io.ReadAll(serverEnd)
	if err != nil || !bytes.Equal(sent, clientPreface()) {
		t.Errorf("sent %q, %v", sent, err)
	}
	serverEnd.Close()
}

// Replies that the reader of calls sends itself arrive whole, each before its end, though the client first reads nothing.
func TestRepliesThatNobodyReadsYet(t *testing.T) {
	const calls, size = 12, maxSingle + 50<<10
	clientEnd, serverEnd := socketPair(t)
	server := NewServer(ServerConfig{})
	pb.RegisterTestServiceServer(server, newTestServer())
	served := make(chan error, 1)
	go func() { served <- server.Serve(NewCarrier(serverEnd)) }()
	request := must(proto.Marshal(&pb.SimpleRequest{ResponseSize: size}))(t)
	clientEnd.Write(clientPreface())
	for id := range uint32(calls) {
		clientEnd.Write(callFrame(id, unaryName, flagMessage|flagHalf, request))
	}
	r := newFrameReader(clientEnd)
	must(readPreface(r))(t)
	got := map[uint32][]byte{}
	for ended := 0; ended < calls; {
		h := must(r.next())(t)
		body := bytes.Clone(must(r.take(int(h.size)))(t))
		switch h.kind {
		case kindResData:
			if h.flags == flagFirst {
				body = body[4:]
			}
			got[h.id] = append(got[h.id], body...)
		case kindEnd:
			ended++
			var reply pb.SimpleResponse
			if err := proto.Unmarshal(got[h.id], &reply); err != nil || !bytes.Equal(reply.Payload.GetBody(), pattern(size)) {
				t.Errorf("call %d: %d bytes, %v", h.id, len(got[h.id]), err)
			}
		}
	}
	clientEnd.Close()
	receive(t, served)
}
