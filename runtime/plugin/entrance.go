package plugin

import (
	"net"

	"github.com/plugingen/plugingen/runtime/broker"
	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/transport"
)

// entrance is how a host comes in: by the main connection, and from there by those that are brokered. gRPC serves what it
// accepts; closing it lets nobody in any more, end also cuts off those who are there.
type entrance struct {
	net.Listener
	conns  *conns
	mux    *broker.MuxListener // nil: each connection is a socket of its own
	broker *broker.Broker
}

// open listens where the host wants it, for brokered connections too: at once, or late, as soon as somebody accepts.
func (l launch) open(cfg Config, sec security, late bool) (*entrance, error) {
	place, err := l.place(cfg.Handshake.Networks())
	if err != nil {
		return nil, err
	}
	main := place
	main.Late = late
	socket, err := transport.Listen(main)
	if err != nil {
		return nil, err
	}
	brokered := brokerConfig(cfg, sec, place)
	if l.multiplexes(cfg.Logger) {
		return multiplexed(socket, brokered), nil
	}
	b := broker.New(brokered)
	known := newConns(b.Listener(socket), connLimit())
	return &entrance{Listener: known, conns: known, broker: b}, nil
}

// multiplexed is an entrance by streams of one connection.
func multiplexed(socket net.Listener, cfg broker.Config) *entrance {
	known := newConns(socket, connLimit())
	known.wrapped = true
	mux := broker.NewMuxListener(known, cfg.Logger)
	cfg.Mux = mux
	b := broker.New(cfg)
	return &entrance{Listener: streams{b.Listener(mux)}, conns: known, mux: mux, broker: b}
}

// brokerConfig makes brokered connections as the main one is made.
func brokerConfig(cfg Config, sec security, place transport.ListenConfig) broker.Config {
	return broker.Config{
		Listen:         func() (net.Listener, error) { return transport.Listen(place) },
		ServerTLS:      sec.server,
		ClientTLS:      sec.client,
		Private:        place.Network == handshake.Unix && place.Group == "" && sec.client == nil,
		MaxMessageSize: cfg.MaxMessageSize,
		Lane:           noLane(cfg) == "",
		ServerOptions:  cfg.ServerOptions,
		Logger:         cfg.Logger,

		UnaryInterceptors:  cfg.UnaryInterceptors,
		StreamInterceptors: cfg.StreamInterceptors,
	}
}

// end cuts all connections.
func (e *entrance) end() {
	_ = e.broker.Close() // only ever nil
	_ = e.conns.Close()
	e.conns.closeAll()
	if e.mux != nil {
		_ = e.mux.End()
	}
}

// streams are main connections on multiplexed ones, which have spoken when one of their streams has.
type streams struct{ net.Listener }

// Accept waits for the next stream.
func (s streams) Accept() (net.Conn, error) {
	stream, err := s.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &plainText{Conn: stream, of: carrierOf(stream)}, nil
}

// carrierOf is the connection below c.
func carrierOf(c net.Conn) *conn {
	for {
		switch below := c.(type) {
		case *conn:
			return below
		case interface{ NetConn() net.Conn }:
			c = below.NetConn()
		default:
			return nil
		}
	}
}
