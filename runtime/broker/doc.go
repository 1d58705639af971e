// Package broker makes further gRPC connections between a host and its plugin, in either direction: what a callback, a
// stream of its own or an argument with methods needs. It speaks go-plugin's GRPCBroker.
//
// One side accepts under a number, tells the other the number in a call of its own, and the other dials it. The numbers of
// the two directions are independent. Each connection is a socket of its own or, when both sides agreed on it in the
// handshake, a stream of one multiplexed connection.
//
// The peer is not trusted to keep the rules: what it announces, knocks for or answers costs a bounded amount of memory, no
// goroutine, and ends by itself.
package broker

import (
	"errors"
	"strconv"
)

// What can be wrong, for errors.Is, besides the errors of contexts and of the system, which are wrapped.
var (
	// ErrClosed means that this side's Close was called.
	ErrClosed = errors.New("the broker is closed")
	// ErrLost means that the peer has ended the broker's stream, or the connection that carried it.
	ErrLost = errors.New("the connection to the peer is lost")
	// ErrNoPeer means that no peer opened the broker's stream in time.
	ErrNoPeer = errors.New("no peer has opened the broker's stream")
	// ErrNoAnswer means that the peer announced or answered nothing in time.
	ErrNoAnswer = errors.New("the peer does not answer")
	// ErrRefused means that the peer takes no connection under the number.
	ErrRefused = errors.New("the peer refuses the connection")
	// ErrInUse means that the number is being accepted or dialled already.
	ErrInUse = errors.New("the number is in use")
	// ErrTooMany means that Config.MaxPending listeners wait to be dialled.
	ErrTooMany = errors.New("too many listeners wait to be dialled")
	// ErrNotDialed means that the peer did not connect within Config.Expiry.
	ErrNotDialed = errors.New("the peer has not connected in time")
	// ErrAddress means that the peer announced an address that is malformed, without Config.AllowRemote not of this machine,
	// or with Config.Private not this user's.
	ErrAddress = errors.New("the announced address is refused")
	// ErrNoListen means that Config.Listen is nil.
	ErrNoListen = errors.New("the broker has no way to listen")
	// ErrUnsupported means that the peer has no broker, or that its broker's connection is not multiplexed as was agreed.
	ErrUnsupported = errors.New("the peer does not broker connections")
	// ErrNoBroker means that the *Broker is nil: it was asked for where there is none.
	ErrNoBroker = errors.New("there is no broker")
)

// Error is what a Broker's methods return.
type Error struct {
	Op   string // "accept", "dial", "serve", "run"
	ID   uint32 // the number of the connection; zero when it is about none
	Hint string // advice for people; may be empty; not part of Error's text
	Err  error
}

// Error is Op, ID and Err.
func (e *Error) Error() string {
	text := "broker: " + e.Op
	if e.ID != 0 {
		text += " " + strconv.FormatUint(uint64(e.ID), 10)
	}
	return text + ": " + e.Err.Error()
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

func failed(op string, id uint32, err error) error {
	return &Error{Op: op, ID: id, Hint: hintFor(err), Err: err}
}

func hintFor(err error) string {
	switch {
	case errors.Is(err, ErrNoAnswer):
		return "both sides must use the same number, and the peer must accept it within a few seconds of the dial"
	case errors.Is(err, ErrNoPeer):
		return "the host opens the broker's stream when it connects; call the broker from a method, not before a host is there"
	case errors.Is(err, ErrNotDialed):
		return "accept only what the peer is told to dial, and tell it at once"
	case errors.Is(err, ErrNoBroker):
		return "take it from the context of a call, or from a registrar or connection of package plugin, host or plugintest"
	case errors.Is(err, ErrInUse):
		return "take a new number from NextID for each connection"
	default:
		return ""
	}
}
