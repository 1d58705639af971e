package host

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/internal/lane"
	"github.com/plugingen/plugingen/runtime/transport"
)

// LaneMode says whether calls may take the lane: a framing of this module's own, with the same results and a fraction of the cost. Both
// sides must be of this module; with others, calls take gRPC in any mode.
type LaneMode int

const (
	// LaneAuto is the zero value. Calls take the lane when the plugin speaks it: on a socket that the plugin inherits, when the host starts it
	// itself, as a process of this machine, and asks for no TLS; with TLS, inside that; else in a stream of the gRPC connection.
	// The environment variable PLUGINGEN_LANE=0 in the host's environment switches it off.
	LaneAuto LaneMode = iota
	// LaneOff has calls take gRPC.
	LaneOff
	// laneOnSocket is for tests: the lane is on the plugin's own socket, as it is for hosts that attach.
	laneOnSocket
)

// String is the mode's name, such as "off".
func (m LaneMode) String() string {
	switch m {
	case LaneAuto:
		return "auto"
	case LaneOff:
		return "off"
	default:
		return fmt.Sprintf("LaneMode(%d)", int(m))
	}
}

// Tier is what carries the calls to a plugin. The numbers are those of PROTOCOL.md.
type Tier int

const (
	// TierPair is the lane on a socket that the plugin has inherited from this host.
	TierPair Tier = 1
	// TierSocket is the lane on the socket that the plugin listens on: a unix socket, or any in TLS.
	TierSocket Tier = 2
	// TierTunnel is the lane in a stream of the gRPC connection.
	TierTunnel Tier = 3
	// TierGRPC is gRPC.
	TierGRPC Tier = 4
)

// String is the tier's name, such as "gRPC".
func (t Tier) String() string {
	switch t {
	case TierPair:
		return "lane on an inherited socket"
	case TierSocket:
		return "lane on the plugin's socket"
	case TierTunnel:
		return "lane in gRPC"
	case TierGRPC:
		return "gRPC"
	default:
		return fmt.Sprintf("Tier(%d)", int(t))
	}
}

// Tier says what carries the calls over Conn and those of what Dispense returns.
func (p *Plugin) Tier() Tier {
	if p.carrier.lane == nil {
		return TierGRPC
	}
	return p.carrier.tier
}

// firstInherited is the descriptor that a child gets the first of its further files as.
const firstInherited = 3

// greeting is what this host says first on the socket that the program is offered; nil when it is offered none, which is logged.
func (c Config) greeting() []byte {
	if why := cmp.Or(c.noLane(), c.noPair()); why != "" {
		c.noteNot(TierPair, why)
		return nil
	}
	return laneConfig(c).Greeting()
}

func (c Config) noteNot(t Tier, why string) {
	note(c.Logger, slog.LevelDebug, "calls take a lower tier", "than", t, "why", why)
}

// noLane is why calls cannot take the lane; empty when they can.
func (c Config) noLane() string {
	on, err := strconv.ParseBool(os.Getenv(handshake.EnvLane))
	switch {
	case c.Lane == LaneOff:
		return "the host's Config says so"
	case err == nil && !on:
		return "the environment variable " + handshake.EnvLane + " says so"
	case len(c.DialOptions) > 0:
		return "the host has DialOptions, which are for gRPC"
	default:
		return ""
	}
}

// noPair is why the program is not offered a socket; empty when it is.
func (c Config) noPair() string {
	switch p := c.protection(); {
	case c.Lane == laneOnSocket:
		return "the test wants the plugin's own socket"
	case c.Multiplex:
		return "the host wants connections to be multiplexed"
	case p == mutual || p == own:
		return "the host wants TLS"
	default:
		return ""
	}
}

// laneOffer is a socket on its way to a program. A nil one is none.
type laneOffer struct {
	ours   net.Conn // nil once it is kept
	theirs *os.File
	words  string
}

// offerLane makes the socket; nil when it cannot, which costs speed alone.
func (l Launch) offerLane() *laneOffer {
	if len(l.lane) == 0 {
		return nil
	}
	ours, theirs, err := lane.Pair()
	if err != nil {
		return nil
	}
	o := &laneOffer{ours: ours, theirs: theirs}
	if o.words, err = lane.Offer(theirs, firstInherited); err == nil {
		_, err = ours.Write(l.lane) // it waits in the socket until the program looks there
	}
	if err != nil {
		o.close()
		return nil
	}
	return o
}

func (o *laneOffer) files() []*os.File {
	if o == nil {
		return nil
	}
	return []*os.File{o.theirs}
}

func (o *laneOffer) environ(env []string) []string {
	if o == nil {
		return env
	}
	return append(slices.Clip(env), handshake.EnvLane+"="+o.words)
}

// keep takes this host's end out of the offer.
func (o *laneOffer) keep() *laneEnd {
	if o == nil {
		return nil
	}
	end := &laneEnd{conn: o.ours}
	o.ours = nil
	return end
}

// close closes what was not kept.
func (o *laneOffer) close() {
	if o == nil {
		return
	}
	_ = o.theirs.Close() // the program has its own by now
	if o.ours != nil {
		_ = o.ours.Close()
	}
}

// laneEnd is this host's end of an offer that a running program has. A nil one is none.
type laneEnd struct {
	mu   sync.Mutex
	conn net.Conn // nil once it is taken or closed
}

// take returns the socket, once.
func (e *laneEnd) take() net.Conn {
	if e == nil {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	conn := e.conn
	e.conn = nil
	return conn
}

func (e *laneEnd) close() {
	if conn := e.take(); conn != nil {
		_ = conn.Close()
	}
}

func (p ownProcess) takeLane() net.Conn { return p.lane.take() }

// takeLane is this host's end of the offered lane; nil when there is none.
func (p *program) takeLane() net.Conn {
	if has, ok := p.launched.(interface{ takeLane() net.Conn }); ok {
		return has.takeLane()
	}
	return nil
}

// laneCalls is a connection by lane. A nil one is none.
type laneCalls struct {
	client *lane.Client
	outer  *grpc.ClientConn // with the host's interceptors; nil without
}

// takeLane makes the lane carry the calls if the plugin has answered on it. A plugin speaks there before it prints its line, so once the
// line is here nothing need be waited for.
func (c *carrier) takeLane(ctx context.Context, of *child) bool {
	conn := of.proc.takeLane()
	if conn == nil {
		return false
	}
	if !lane.HasSpoken(conn) {
		_ = conn.Close()
		of.cfg.noteNot(TierPair, "the plugin does not answer on it")
		return false
	}
	return c.speak(ctx, of.cfg, TierPair, placed{lane.NewCarrier(conn), c.place()})
}

// takeSocket makes the lane carry the calls on the socket that a plugin listens on which runs already, if it takes the lane there.
func (c *carrier) takeSocket(ctx context.Context, of *child) bool {
	var to handshake.Attachment
	switch {
	case of.attached != nil:
		to = of.attached.to
	case of.cfg.Lane == laneOnSocket:
		to = handshake.Attachment{Network: c.network, TLS: handshake.TLSNone, Multiplex: of.cfg.Multiplex, Lane: lane.Version}
	default:
		return false
	}
	why := cmp.Or(of.cfg.noLane(), noSocketLane(to))
	switch {
	case why != "":
	case c.tls != nil:
		why = "the host wants TLS"
	case to.Lane < lane.Version:
		why = "the plugin's description does not say that it takes the lane on its socket"
	}
	if why != "" {
		of.cfg.noteNot(TierSocket, why)
		return false
	}
	conn, err := c.newSocket(ctx)
	if err != nil {
		return false // gRPC's way meets the same, and says so
	}
	c.pid = to.PID
	if pid, known := c.impostor(conn); known {
		_ = conn.Close()
		of.cfg.noteNot(TierSocket, fmt.Sprintf("the socket is process %d's", pid))
		return false
	}
	return c.speak(ctx, of.cfg, TierSocket, lane.NewCarrier(conn))
}

// impostor tells which process conn leads to, where that is known and another than it should be.
func (c *carrier) impostor(conn net.Conn) (pid int, is bool) {
	pid, known := transport.PeerPID(conn)
	return pid, known && c.pid != 0 && pid != c.pid
}

// noSocketLane is why a plugin does not take the lane on the socket that it listens on; empty when it may.
func noSocketLane(to handshake.Attachment) string {
	switch {
	case to.Network != handshake.Unix:
		return "the plugin is not on a unix socket"
	case to.TLS != handshake.TLSNone:
		return "the plugin serves with TLS"
	case to.Multiplex:
		return "the plugin multiplexes connections"
	default:
		return ""
	}
}

// placed is a carrier whose peer is told by where its line says that it listens: an inherited socket has no address.
type placed struct {
	lane.Carrier
	remote net.Addr
}

// RemoteAddr is lane.Carrier's.
func (p placed) RemoteAddr() net.Addr { return p.remote }

func (c *carrier) place() net.Addr {
	if at, err := netip.ParseAddrPort(c.address); c.network == handshake.TCP && err == nil {
		return net.TCPAddrFromAddrPort(at)
	}
	return &net.UnixAddr{Name: c.address, Net: c.network}
}

// speak has the calls take the lane on carrier, if the plugin does speak it there.
func (c *carrier) speak(ctx context.Context, cfg Config, tier Tier, carrier lane.Carrier) bool {
	laneCfg := laneConfig(cfg)
	laneCfg.Greeted = tier == TierPair
	client := lane.NewClient(carrier, laneCfg)
	l, err := interceptedLane(cfg, client)
	if err == nil {
		err = client.Ready(ctx)
	}
	if err != nil {
		l.close()
		cfg.noteNot(tier, "what the plugin says there is wrong: "+err.Error())
		return false
	}
	c.lane, c.tier = l, tier
	return true
}

func laneConfig(cfg Config) lane.ClientConfig {
	return lane.ClientConfig{
		MaxMessageSize: cfg.MaxMessageSize,
		Window:         window,
		CallOptions:    []grpc.CallOption{grpc.MaxCallRecvMsgSize(cfg.MaxMessageSize), grpc.MaxCallSendMsgSize(cfg.MaxMessageSize)},
		AuthInfo:       lane.NoTLS(),
	}
}

// interceptedLane has the host's interceptors see a *grpc.ClientConn, as they expect. That one never connects.
func interceptedLane(cfg Config, client *lane.Client) (*laneCalls, error) {
	l := &laneCalls{client: client}
	if len(cfg.UnaryInterceptors) == 0 && len(cfg.StreamInterceptors) == 0 {
		return l, nil
	}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithIdleTimeout(0),
		grpc.WithChainUnaryInterceptor(cfg.UnaryInterceptors...),
		grpc.WithChainStreamInterceptor(cfg.StreamInterceptors...),
	}
	var err error
	l.outer, err = grpc.NewClient("passthrough:///localhost", append(options, client.Route()...)...)
	return l, err
}

func (l *laneCalls) calls() grpc.ClientConnInterface {
	if l.outer != nil {
		return l.outer
	}
	return l.client
}

func (l *laneCalls) isLost() bool { return isClosed(l.client.Done()) }

// Invoke is grpc.ClientConnInterface's.
func (c *carrier) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	conn := c.calls(opts)
	if c.lane == nil || c.tier != TierTunnel {
		return conn.Invoke(ctx, method, args, reply, opts...)
	}
	if isLarge(args) || c.large.has(method) {
		conn = c.cc
	}
	err := conn.Invoke(ctx, method, args, reply, opts...)
	c.large.note(method, reply)
	return err
}

// NewStream is grpc.ClientConnInterface's.
func (c *carrier) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	return c.calls(opts).NewStream(ctx, desc, method, opts...)
}

// calls is what makes a call: the lane where there is one. Where there is, or can be, gRPC as well, that connects again when the lane's
// connection has broken, and does what the lane cannot.
func (c *carrier) calls(opts []grpc.CallOption) grpc.ClientConnInterface {
	switch {
	case c.lane == nil:
		return c.cc
	case c.cc == nil && c.beneath == nil, !c.lane.isLost() && !slices.ContainsFunc(opts, lane.NeedsGRPC):
		return c.lane.calls()
	case c.cc != nil:
		return c.cc
	default:
		return c.beneath.get()
	}
}

func (l *laneCalls) close() {
	if l == nil {
		return
	}
	if l.outer != nil {
		_ = l.outer.Close() // only ever says that it was closed before
	}
	_ = l.client.Close()
}
