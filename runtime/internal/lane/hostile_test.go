package lane

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"testing"

	"google.golang.org/grpc/codes"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"
)

const (
	unaryName  = pb.TestService_UnaryCall_FullMethodName
	duplexName = pb.TestService_FullDuplexCall_FullMethodName
)

func frame(h header, parts ...any) []byte {
	var body []byte
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			body = append(body, p...)
		case []byte:
			body = append(body, p...)
		case int:
			body = binary.LittleEndian.AppendUint32(body, uint32(p))
		}
	}
	return appendFrame(nil, h, body...)
}

// bytes is a frame's header alone, whatever it says of what follows.
func (h header) bytes() []byte {
	b := make([]byte, headerSize)
	h.put(b)
	return b
}

func name(s string) []byte {
	return append(binary.LittleEndian.AppendUint16(nil, uint16(len(s))), s...)
}

func callFrame(id uint32, method string, flags uint8, more ...any) []byte {
	return frame(header{kind: kindCall, id: id, flags: flags | flagName}, append([]any{name(method)}, more...)...)
}

func clientPreface() []byte { return ClientConfig{}.withDefaults().settings().preface() }

// brokenRequests are what a server must end the connection for.
func brokenRequests() map[string][]byte {
	duplex := callFrame(1, duplexName, 0)
	whole := flagMessage | flagHalf
	return map[string][]byte{
		"no frame":               bytes.Repeat([]byte{0xff}, 100),
		"huge frame":             {0, 0, 0, 0x80, 0, 0, 0, 0, byte(kindCall), 0, 0, 0},
		"huge call":              header{kind: kindCall, size: maxFrame + 1}.bytes(),
		"huge data":              header{kind: kindReqData, size: maxData + 1}.bytes(),
		"unknown kind":           frame(header{kind: 0x33}),
		"the server's kind":      frame(header{kind: kindEnd}),
		"unknown flags":          frame(header{kind: kindCall, flags: 0x80 | flagName}, name(unaryName)),
		"no name":                frame(header{kind: kindCall, flags: whole}),
		"number never bound":     frame(header{kind: kindCall, flags: whole, method: 7}),
		"number out of order":    frame(header{kind: kindCall, flags: whole | flagName, method: 7}, name(unaryName)),
		"name cut short":         frame(header{kind: kindCall, flags: flagName}, "\xff"),
		"name too long":          frame(header{kind: kindCall, flags: flagName}, name(string(pattern(maxName+1)))),
		"timeout cut short":      frame(header{kind: kindCall, flags: flagTimeout}, "1234"),
		"metadata cut short":     callFrame(1, unaryName, whole|flagMetadata, 100, "short"),
		"metadata too long":      callFrame(1, unaryName, whole|flagMetadata, maxBlock+1, pattern(maxBlock+1)),
		"metadata lies":          callFrame(1, unaryName, whole|flagMetadata, 3, "\xff\xff\xff"),
		"metadata of empty keys": callFrame(1, unaryName, whole|flagMetadata, 2, "\x00\x00"),
		"metadata of many":       callFrame(1, unaryName, whole|flagMetadata, 4*5000, bytes.Repeat([]byte("\x01a\x01b"), 5000)),
		"metadata unprintable":   callFrame(1, unaryName, whole|flagMetadata, 4, "\x01a\x01\n"),
		"left over":              callFrame(1, duplexName, 0, "left over"),
		"id out of range":        callFrame(1<<31, unaryName, whole),
		"id in use":              slices.Concat(duplex, duplex),
		"id in use, unary":       slices.Concat(duplex, callFrame(1, unaryName, whole)),
		"data flags":             slices.Concat(duplex, frame(header{kind: kindReqData, id: 1, flags: 9}, "x")),
		"part without a first":   slices.Concat(duplex, frame(header{kind: kindReqData, id: 1, flags: flagPart}, "x")),
		"empty part":             slices.Concat(duplex, frame(header{kind: kindReqData, id: 1, flags: flagFirst}, 100)),
		"first longer than all":  slices.Concat(duplex, frame(header{kind: kindReqData, id: 1, flags: flagFirst}, 2, "abc")),
		"parts longer than all": slices.Concat(duplex, frame(header{kind: kindReqData, id: 1, flags: flagFirst}, 4, "abc"),
			frame(header{kind: kindReqData, id: 1, flags: flagPart}, "abc")),
		"whole within parts": slices.Concat(duplex, frame(header{kind: kindReqData, id: 1, flags: flagFirst}, 4, "abc"),
			frame(header{kind: kindReqData, id: 1}, "abc")),
		"half-close within parts": slices.Concat(duplex, frame(header{kind: kindReqData, id: 1, flags: flagFirst}, 4, "abc"),
			frame(header{kind: kindHalfClose, id: 1})),
		"credit cut short": slices.Concat(duplex, frame(header{kind: kindReqCredit, id: 1}, "1")),
		"over the window":  slices.Concat(blockedStream(), bytes.Repeat(frame(header{kind: kindReqData, id: 1}, pattern(32<<10)), 9)),
		"empty over the window": slices.Concat(blockedStream(),
			bytes.Repeat(frame(header{kind: kindReqData, id: 1}), defaultWindow/messageCost+1)),
	}
}

// blockedStream begins a stream whose handler reads nothing.
func blockedStream() []byte {
	md := appendMetadata(nil, map[string][]string{"do": {"block"}})
	return callFrame(1, duplexName, flagMetadata, md)
}

func TestServerEndsBrokenConnections(t *testing.T) {
	for what, frames := range brokenRequests() {
		t.Run(what, func(t *testing.T) {
			if err := feedServer(t, slices.Concat(clientPreface(), frames), true); !errors.Is(err, ErrProtocol) {
				t.Errorf("ended with %v", err)
			}
		})
	}
	for what, preface := range map[string]string{
		"HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "TLS": "\x16\x03\x01\x02\x00\x01\x00\x01", "version 0": magic + "\x00\x00\x00",
		"odd settings": magic + "\x01\x05\x00.....", "low settings": magic + "\x01\x06\x00\x03\x00\x01\x00\x00\x00",
	} {
		t.Run(what, func(t *testing.T) {
			if err := feedServer(t, []byte(preface), true); !errors.Is(err, ErrProtocol) {
				t.Errorf("ended with %v", err)
			}
		})
	}
}

// feedServer gives a server what a client sends, and returns what Serve returns. It reads what the server sends. With
// hold the client's end stays open until the server is done.
func feedServer(t testing.TB, in []byte, hold bool) error {
	clientEnd, serverEnd := socketPair(t)
	server := NewServer(ServerConfig{Logger: quiet()})
	pb.RegisterTestServiceServer(server, newTestServer())
	served := make(chan error, 1)
	go func() { served <- server.Serve(NewCarrier(serverEnd)) }()
	drained := make(chan struct{})
	go func() { defer close(drained); io.Copy(io.Discard, clientEnd) }()
	clientEnd.Write(in)
	if !hold {
		clientEnd.(*net.UnixConn).CloseWrite()
	}
	err := receive(t, served)
	clientEnd.Close()
	<-drained
	server.Stop()
	return err
}

// brokenReplies are what a client must end the connection for. Call 0 is unary, call 1 a stream.
func brokenReplies() map[string][]byte {
	head := frame(header{kind: kindHead, id: 1}, 0)
	return map[string][]byte{
		"no frame":               bytes.Repeat([]byte{0xff}, 100),
		"unknown kind":           frame(header{kind: 0x33}),
		"the client's kind":      frame(header{kind: kindCall}),
		"end of an unknown call": frame(header{kind: kindEnd, id: 9, flags: flagMessage}),
		"end of a distant call":  frame(header{kind: kindEnd, id: 1 << 31, flags: flagMessage}),
		"data of an unknown":     frame(header{kind: kindResData, id: 9}),
		"end twice":              bytes.Repeat(frame(header{kind: kindEnd, id: 0, flags: flagMessage}), 2),
		"header twice":           slices.Concat(head, head),
		"header cut short":       frame(header{kind: kindHead, id: 1}, 100),
		"end flags":              frame(header{kind: kindEnd, id: 1, flags: 0x80}),
		"end with leftovers":     frame(header{kind: kindEnd, id: 1}, "left over"),
		"status cut short":       frame(header{kind: kindEnd, id: 1, flags: flagStatus}, 100),
		"status of no message":   frame(header{kind: kindEnd, id: 1, flags: flagStatus}, 3, "\xff\xff\xff"),
		"status OK":              frame(header{kind: kindEnd, id: 1, flags: flagStatus}, 0),
		"status and message":     frame(header{kind: kindEnd, id: 1, flags: flagStatus | flagMessage}, 2, "\x08\x05", "x"),
		"data flags":             frame(header{kind: kindResData, id: 1, flags: 9}, "x"),
		"over the window":        bytes.Repeat(frame(header{kind: kindResData, id: 1}, pattern(32<<10)), 9),
		"credit cut short":       frame(header{kind: kindResCredit, id: 1}, "1"),
	}
}

func TestClientEndsBrokenConnections(t *testing.T) {
	for what, frames := range brokenReplies() {
		t.Run(what, func(t *testing.T) {
			if err := feedClient(t, slices.Concat(serverPreface(), frames), true); !errors.Is(err, ErrProtocol) {
				t.Errorf("ended with %v", err)
			}
		})
	}
}

// feedClient gives a client with a unary call and a stream in flight what a server sends, checks that both end, and
// returns what the connection ended with.
func feedClient(t testing.TB, in []byte, hold bool) error {
	clientEnd, serverEnd := socketPair(t)
	client := NewClient(NewCarrier(clientEnd), ClientConfig{})
	drained := make(chan struct{})
	go func() { defer close(drained); io.Copy(io.Discard, serverEnd) }()
	ended := make(chan error, 2)
	ctx := context.Background()
	go func() {
		_, err := pb.NewTestServiceClient(client).UnaryCall(ctx, input(1))
		ended <- err
	}()
	waitLive(client, 1) // the unary call gets id 0, the stream 1
	split := min(len(in), len(serverPreface()))
	serverEnd.Write(in[:split])
	go func() {
		s, err := pb.NewTestServiceClient(client).FullDuplexCall(ctx)
		if err == nil {
			waitAnswer := hold
			for err == nil && !waitAnswer {
				_, err = s.Recv()
			}
			if err == nil {
				<-client.Done()
			}
		}
		ended <- err
	}()
	waitLive(client, 2)
	serverEnd.Write(in[split:])
	if !hold {
		serverEnd.(*net.UnixConn).CloseWrite()
	}
	receive(t, client.Done())
	receive(t, ended)
	receive(t, ended)
	err := client.Err()
	client.Close()
	serverEnd.Close()
	<-drained
	return err
}

// waitLive waits until n calls are in the table, or the connection is lost.
func waitLive(c *Client, n int) {
	for {
		c.table.mu.Lock()
		live := c.table.live
		c.table.mu.Unlock()
		if live >= n {
			return
		}
		select {
		case <-c.done:
			return
		default:
		}
	}
}

func FuzzServerFrames(f *testing.F) {
	for _, frames := range brokenRequests() {
		f.Add(frames)
	}
	f.Add(slices.Concat(callFrame(0, unaryName, flagMessage|flagHalf), blockedStream(), frame(header{kind: kindCancel, id: 1}), frame(header{kind: kindLast})))
	f.Fuzz(func(t *testing.T, frames []byte) {
		feedServer(t, slices.Concat(clientPreface(), frames), false)
	})
}

func FuzzClientFrames(f *testing.F) {
	for _, frames := range brokenReplies() {
		f.Add(frames)
	}
	f.Add(slices.Concat(frame(header{kind: kindEnd, flags: flagMessage}), frame(header{kind: kindDrain}), frame(header{kind: kindEnd, id: 1})))
	f.Fuzz(func(t *testing.T, frames []byte) {
		feedClient(t, slices.Concat(serverPreface(), frames), false)
	})
}

func FuzzPreface(f *testing.F) {
	f.Add(clientPreface())
	f.Add([]byte(magic + "\x02\x06\x00\x63\x00\x01\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := readPreface(bytes.NewReader(b))
		if err != nil {
			return
		}
		again, err := readPreface(bytes.NewReader(s.preface()))
		if err != nil || again != s {
			t.Errorf("%+v became %+v, %v", s, again, err)
		}
	})
}

// What a message larger than its window would take is not made room for on the peer's word alone.
func TestRoomIsNotMadeOnPromises(t *testing.T) {
	first := frame(header{kind: kindReqData, flags: flagFirst}, defaultMaxMessage, "x")
	var in []byte
	for id := range uint32(200) { // 200 times 64 MiB, promised
		md := appendMetadata(nil, map[string][]string{"do": {"block"}})
		in = append(in, callFrame(id, duplexName, flagMetadata, md)...)
		binary.LittleEndian.PutUint32(first[4:], id)
		in = append(in, first...)
	}
	clientEnd, serverEnd := socketPair(t)
	defer clientEnd.Close()
	s := newTestServer()
	server := NewServer(ServerConfig{})
	pb.RegisterTestServiceServer(server, s)
	served := make(chan error, 1)
	go func() { served <- server.Serve(NewCarrier(serverEnd)) }()
	go clientEnd.Write(slices.Concat(clientPreface(), in))
	go io.Copy(io.Discard, clientEnd)
	for range 100 {
		receive(t, s.entered)
	}
	server.mu.Lock()
	conns := server.connections()
	server.mu.Unlock()
	conns[0].mu.Lock()
	calls := slices.Clone(conns[0].calls)
	conns[0].mu.Unlock()
	clientEnd.Close()
	receive(t, served)
	room := 0
	for _, k := range calls {
		if k != nil {
			room += cap(k.in.body)
		}
	}
	if room > 1<<20 {
		t.Errorf("%d bytes were made room for", room)
	}
}

// A status or metadata that is too large is an error that says so, not a broken connection.
func TestTooLargeToSay(t *testing.T) {
	client := openLane(t, setup{service: newTestServer()}, NewCarrier)
	c := pb.NewTestServiceClient(client)
	in := input(1)
	in.ResponseStatus = &pb.EchoStatus{Code: int32(codes.NotFound), Message: string(pattern(maxBlock))}
	if _, err := c.UnaryCall(within(t), in); status.Code(err) != codes.NotFound {
		t.Error(err)
	}
	if _, err := c.UnaryCall(asking(within(t), string(pattern(maxBlock))), in); status.Code(err) != codes.Internal {
		t.Error(err)
	}
	in.ResponseStatus.Message = "not UTF-8: \xff"
	if _, err := c.UnaryCall(within(t), input(1)); err != nil {
		t.Error(err)
	}
}
