package broker

import (
	"context"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/peer"
)

// FromContext returns the broker of the call that a method serves: ctx is the method's, or comes of it. It finds the broker
// of a plugin in the methods of its services, and that of either side in methods that AcceptAndServe serves. Accept and Dial with
// the same ctx then concern the host that calls. It costs the call nothing.
//
// It returns nil when ctx belongs to no such call. A nil *Broker may be used: all that it does fails with ErrNoBroker.
func FromContext(ctx context.Context) *Broker {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return nil
	}
	switch a := p.Addr.(type) {
	case *mainAddr:
		return a.broker
	case *brokeredAddr:
		return a.link.b
	default:
		return nil
	}
}

// holder is what knows its broker.
type holder interface{ Broker() *Broker }

// FromRegistrar returns the broker of the server that r registers services with, for services that keep it, as those of
// go-plugin's GRPCServer(broker, server) do. It returns nil, see [FromContext], when r is not of package plugin, plugintest or
// AcceptAndServe.
func FromRegistrar(r grpc.ServiceRegistrar) *Broker {
	if h, ok := r.(holder); ok {
		return h.Broker()
	}
	return nil
}

// FromConn returns the host's broker to the plugin behind conn, for clients that pass numbers to the plugin. It returns nil, see
// [FromContext], when conn is not of package host or plugintest.
func FromConn(conn grpc.ClientConnInterface) *Broker {
	if h, ok := conn.(holder); ok {
		return h.Broker()
	}
	return nil
}

// Listener returns inner with what FromContext needs: calls over its connections know the broker. It is for the plugin's main
// listener; Accept's need it not.
func (b *Broker) Listener(inner net.Listener) net.Listener { return &mainListener{inner, b} }

type mainListener struct {
	net.Listener
	broker *Broker
}

// Accept waits for the next connection.
func (l *mainListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &mainConn{c, l.broker}, nil
}

// mainConn says by its peer's address whose plugin it is: that is what gRPC gives to each call, at no cost.
type mainConn struct {
	net.Conn
	broker *Broker
}

// NetConn is the connection below.
func (c *mainConn) NetConn() net.Conn { return c.Conn }

// Socket is the connection below, for the lane.
func (c *mainConn) Socket() net.Conn { return c.Conn }

// RemoteAddr is net.Conn's.
func (c *mainConn) RemoteAddr() net.Addr { return &mainAddr{c.Conn.RemoteAddr(), c.broker} }

type mainAddr struct {
	net.Addr
	broker *Broker
}

// bare is addr without the broker's mark.
func bare(addr net.Addr) net.Addr {
	if a, ok := addr.(*mainAddr); ok {
		return a.Addr
	}
	return addr
}
