package lane

import (
	"context"
	"io"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// unaryDesc describes a unary call that is made as a stream.
func unaryDesc() *grpc.StreamDesc { return &grpc.StreamDesc{} }

// clientStream is a call with any number of messages, or with one too large for a frame. SendMsg and CloseSend may be
// used beside RecvMsg, each by one goroutine at a time, as with gRPC.
type clientStream struct {
	c    *Client
	desc *grpc.StreamDesc
	o    callOptions
	ctx  context.Context
	id   uint32
	in   inbox
	send sender

	unsent   *request // the first frame waits for the first message; the sending side's alone
	halved   bool     // likewise
	received bool     // the one reply was received; the receiving side's alone

	waited atomic.Bool // for a message, since the last one was sent

	mu       sync.Mutex
	cancel   context.CancelFunc // ends ctx
	unwatch  func() bool        // stops waiting for ctx
	header   metadata.MD
	headerIn chan struct{} // closed with the header or the end
	headed   bool          // headerIn is closed
	trailer  metadata.MD
	status   *status.Status // set at the end
	reported bool
}

func (c *Client) newClientStream(desc *grpc.StreamDesc) *clientStream {
	s := &clientStream{c: c, desc: desc, headerIn: make(chan struct{}), ctx: context.Background()}
	s.in = inbox{limit: c.cfg.MaxMessageSize, buffers: &c.buffers, budget: c.budget, reserve: &c.reserve, credit: s.sendCredit}
	s.in.init(c.cfg.Window)
	s.send = sender{w: &c.w, window: newSendWindow(c.theirs.window), buffers: &c.buffers, kind: kindReqData}
	s.send.window.starve = c.needReader
	return s
}

func (s *clientStream) sendCredit(n int64) {
	if s.c.w.begin() != nil {
		return
	}
	if !s.send.window.isClosed() { // after the end the id may be another's
		s.c.w.buf = appendCredit(s.c.w.buf, kindReqCredit, s.id, n)
	}
	s.c.w.flush()
}

func (c *Client) directStream(ctx context.Context, desc *grpc.StreamDesc, _ *grpc.ClientConn, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	o := c.defaults
	err := c.bad
	if err == nil {
		err = o.apply(opts)
	}
	var q request
	if err == nil {
		q, err = newRequest(ctx, method, &o)
	}
	var s *clientStream
	if err == nil {
		s, err = c.open(ctx, desc, &q, o)
	}
	if err != nil {
		o.report(&c.peer, err)
		return nil, err
	}
	return s, nil
}

// open starts a stream. When the caller has one message to send, the first frame waits for it.
func (c *Client) open(ctx context.Context, desc *grpc.StreamDesc, q *request, o callOptions) (*clientStream, error) {
	select { // windows must be known
	case <-c.ready:
	case <-c.done:
		return nil, lostError(c.Err())
	case <-ctx.Done():
		return nil, status.FromContextError(ctx.Err()).Err()
	}
	s := c.newClientStream(desc)
	s.in.limit = min(o.maxRecv, c.cfg.MaxMessageSize)
	s.in.eager = !desc.ServerStreams
	s.o = o
	if err := c.missing(q.method); err != nil {
		s.finish(status.Convert(err), nil)
		return s, nil // as when the server has answered so
	}
	id, err := c.table.add(ctx.Done(), nil, s)
	if err != nil {
		return nil, callError(ctx, err)
	}
	s.unsent = q
	if desc.ClientStreams {
		s.unsent = nil
		if err := c.start(ctx, id, q, 0, nil); err != nil {
			c.table.remove(id, nil, s)
			return nil, callError(ctx, err)
		}
	}
	s.watch(ctx)
	c.needReaderSoon()
	return s, nil
}

// watch makes the end of ctx the end of the stream, and the other way round.
func (s *clientStream) watch(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ctx, s.cancel = context.WithCancel(ctx)
	if s.status != nil {
		s.cancel()
		return
	}
	if ctx.Done() != nil {
		s.unwatch = context.AfterFunc(ctx, func() {
			if s.abort(status.FromContextError(ctx.Err())) {
				s.in.abandon()
			}
		})
	}
}

// abort gives the call up and tells the peer; false: it has ended otherwise, or is about to. What has arrived may still
// be received.
func (s *clientStream) abort(st *status.Status) bool {
	turn, ok := s.c.table.abandon(s.id, nil, s)
	if !ok {
		return false
	}
	s.finish(st, nil)
	s.c.interrupt(s)
	s.c.sendCancel(s.id, turn)
	s.report(st.Err())
	return true
}

// finish ends the stream; the first status stays, and nil means OK.
func (s *clientStream) finish(st *status.Status, trailer metadata.MD) {
	s.mu.Lock()
	if s.status == nil {
		if s.status = st; st == nil {
			s.status = status.New(codes.OK, "")
		}
		s.trailer = trailer
	}
	s.closeHeader()
	cancel, unwatch := s.cancel, s.unwatch
	s.mu.Unlock()
	if unwatch != nil {
		unwatch()
	}
	if cancel != nil {
		cancel()
	}
	s.send.window.close()
	s.in.finish()
}

// closeHeader says that no further header comes. Called with mu.
func (s *clientStream) closeHeader() {
	if !s.headed {
		s.headed = true
		close(s.headerIn)
	}
}

// report fills in what the caller's options asked for, once.
func (s *clientStream) report(err error) {
	s.mu.Lock()
	again := s.reported
	s.reported = true
	header, trailer := s.header, s.trailer
	s.mu.Unlock()
	if again {
		return
	}
	if s.o.header != nil {
		*s.o.header = header
	}
	if s.o.trailer != nil {
		*s.o.trailer = trailer
	}
	s.o.report(&s.c.peer, err)
}

func (s *clientStream) ended() *status.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

// Header waits for the response header or the end. As with gRPC the end's error comes from RecvMsg alone.
func (s *clientStream) Header() (metadata.MD, error) {
	if err := s.begin(); err == nil {
		s.c.needReader()
		<-s.headerIn
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.header, nil
}

// Trailer is the trailer, once RecvMsg has returned an error.
func (s *clientStream) Trailer() metadata.MD {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.trailer
}

// Context is the stream's context; it ends with the stream.
func (s *clientStream) Context() context.Context { return s.ctx }

// CloseSend tells the peer that no message follows.
func (s *clientStream) CloseSend() error {
	if s.halved || s.begin() != nil {
		return nil // as with gRPC RecvMsg returns what went wrong
	}
	s.halved = true
	if s.c.w.begin() != nil {
		return nil
	}
	if s.send.window.isClosed() {
		s.c.w.hold()
		return nil
	}
	s.c.w.buf = appendFrame(s.c.w.buf, header{kind: kindHalfClose, id: s.id})
	s.c.w.flush()
	return nil
}

// begin sends the first frame if it still waits for a message.
func (s *clientStream) begin() error {
	q := s.unsent
	if q == nil {
		return nil
	}
	s.unsent = nil
	return s.start(q, 0, nil)
}

func (s *clientStream) start(q *request, flags uint8, m *sized) error {
	if err := s.c.start(s.ctx, s.id, q, flags, m); err != nil {
		return s.unstarted(err)
	}
	return nil
}

// unstarted ends a stream whose first frame could not be sent.
func (s *clientStream) unstarted(err error) error {
	err = callError(s.ctx, err)
	s.c.table.remove(s.id, nil, s)
	s.finish(status.Convert(err), nil)
	return err
}

// SendMsg sends m. io.EOF means that the call has ended; RecvMsg says how.
func (s *clientStream) SendMsg(m any) error {
	if s.halved {
		return status.Error(codes.Internal, "lane: SendMsg called after CloseSend")
	}
	sized, err := measure(m, min(s.o.maxSend, s.c.theirs.maxMessage))
	if err == nil {
		err = s.transmit(sized)
	}
	if err == nil {
		return nil
	}
	if _, ok := status.FromError(err); ok {
		return s.refuse(err)
	}
	if !s.desc.ClientStreams { // generated code then asks RecvMsg
		return nil
	}
	return io.EOF
}

// refuse ends the stream because of a message that cannot be sent.
func (s *clientStream) refuse(err error) error {
	s.abort(status.Convert(err))
	return err
}

func (s *clientStream) transmit(m sized) error {
	if s.unsent != nil && m.size <= maxWhole {
		q := s.unsent
		s.unsent, s.halved = nil, true
		if s.start(q, flagMessage|flagHalf, &m) != nil {
			return io.EOF
		}
		return nil
	}
	held, err := s.beginWith()
	if err != nil {
		return io.EOF
	}
	s.send.many, s.send.answers = s.c.crowded(), s.waited.Swap(false)
	if err = s.send.send(m, s.ctx.Done()); err != nil && held && s.c.w.begin() == nil {
		s.c.w.flush()
	}
	return err
}

// beginWith is begin before a message: held tells that the first frame waits for the message's first part, to share its write.
func (s *clientStream) beginWith() (held bool, err error) {
	q := s.unsent
	if q == nil {
		return false, nil
	}
	s.unsent = nil
	w := &s.c.w
	if _, err := s.c.startLater(s.ctx, s.id, q, 0, nil); err != nil {
		return false, s.unstarted(err)
	}
	if held = !w.busy && len(w.buf) <= maxPending/2; held { // whoever waits for room waits for one who is writing
		w.hold()
	} else {
		w.flush()
	}
	return held, nil
}
