package transport

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"

	"github.com/plugingen/plugingen/runtime/handshake"
)

// ListenConfig says where a plugin listens.
type ListenConfig struct {
	// Network is handshake.Unix or handshake.TCP.
	Network string
	// Dir is the existing folder in which the unix socket is made; the listener leaves the folder alone. Empty means a private
	// folder of its own, which Close removes. In a folder that the socket's path makes too long for the system, Linux listens
	// all the same and [Dial] reaches it, but go-plugin hosts do not; elsewhere that is ErrPathTooLong.
	Dir string
	// Group, a name or a number, may use the unix socket too, and then the listener takes peers of any user. Empty means nobody else.
	Group string
	// MinPort and MaxPort bound the tcp port, both included; both zero mean any free port, a zero MinPort means 1, a zero MaxPort 65535.
	MinPort, MaxPort int
	// Late has the socket made by the first Accept, whose error says when that fails; Addr tells the path before. It is for unix sockets
	// in a Dir, and means nothing elsewhere.
	Late bool
	// Refused is told the user id of each peer that the unix listener turned away; it is called from Accept. It may be nil.
	Refused func(uid int)
}

// Listen listens on a unix socket that only this user (and root) can use, or on a tcp port of 127.0.0.1. The listener's Addr is what a
// handshake line names. Its Close removes the socket and the folder that Listen made, however often and from wherever it is called.
// The error is an *Error.
func Listen(cfg ListenConfig) (net.Listener, error) {
	switch cfg.Network {
	case handshake.Unix:
		return listenUnix(cfg)
	case handshake.TCP:
		return listenTCP(cfg.MinPort, cfg.MaxPort)
	default:
		return nil, &Error{Op: "listen", Err: fmt.Errorf("%w, not %q", ErrNetwork, cfg.Network)}
	}
}

func listenTCP(least, most int) (net.Listener, error) {
	first, count, err := portRange(least, most)
	if err != nil {
		return nil, &Error{Op: "listen", Address: handshake.TCP, Hint: "ports are within 1 and 65535", Err: err}
	}
	// Many plugins get the same range at once: starting anywhere in it keeps them from trying each other's ports one by one.
	start := rand.IntN(count)
	for i := range count {
		var l net.Listener
		if l, err = listenPort(first + (start+i)%count); err == nil {
			return l, nil
		}
		if !isPortTaken(err) {
			return nil, &Error{Op: "listen", Address: handshake.TCP, Err: err}
		}
	}
	return nil, &Error{
		Op: "listen", Address: handshake.TCP,
		Hint: "widen the range of ports that the host gives its plugins",
		Err:  fmt.Errorf("%w within %d and %d: %w", ErrNoPort, first, first+count-1, err),
	}
}

func listenPort(port int) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, err
	}
	return &tcpListener{Listener: l, close: sync.OnceValue(l.Close)}, nil
}

// tcpListener may be closed more than once, as the unix listener may.
type tcpListener struct {
	net.Listener
	close func() error
}

func (l *tcpListener) Close() error { return l.close() }

// portRange returns port 0 alone when any will do: the system finds a free one without a search.
func portRange(least, most int) (first, count int, err error) {
	if least == 0 && most == 0 {
		return 0, 1, nil
	}
	if least == 0 {
		least = 1
	}
	if most == 0 {
		most = 65535
	}
	if least < 1 || most > 65535 || least > most {
		return 0, 0, fmt.Errorf("%w: %d to %d", ErrPortRange, least, most)
	}
	return least, most - least + 1, nil
}

// isPortTaken says whether another port may do: this one is in use, or reserved by the system.
func isPortTaken(err error) bool {
	for _, taken := range portTakenErrors() {
		if errors.Is(err, taken) {
			return true
		}
	}
	return false
}
