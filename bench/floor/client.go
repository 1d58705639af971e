package floor

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/plugingen/plugingen/bench/load"
)

// Client is load.Work over as many connections as there are callers at once. Contexts count by their deadline alone.
type Client struct {
	dial func(context.Context) (net.Conn, error)

	mu   sync.Mutex
	idle []*clientConn
	all  []net.Conn
}

type clientConn struct {
	frames
	socket net.Conn
	id     [8]byte // of the last Echo, in memory that need not be allocated
}

var _ load.Work = (*Client)(nil)

// NewClient returns a client that connects by dial.
func NewClient(dial func(context.Context) (net.Conn, error)) *Client { return &Client{dial: dial} }

// Close closes all connections.
func (c *Client) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var errs []error
	for _, conn := range c.all {
		errs = append(errs, conn.Close())
	}
	return errors.Join(errs...)
}

func (c *Client) take(ctx context.Context) (*clientConn, error) {
	c.mu.Lock()
	if last := len(c.idle) - 1; last >= 0 {
		conn := c.idle[last]
		c.idle = c.idle[:last]
		c.mu.Unlock()
		return conn, nil
	}
	c.mu.Unlock()
	socket, err := c.dial(ctx)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.all = append(c.all, socket)
	c.mu.Unlock()
	return &clientConn{frames: frames{conn: socket}, socket: socket}, nil
}

func (c *Client) give(conn *clientConn) {
	c.mu.Lock()
	c.idle = append(c.idle, conn)
	c.mu.Unlock()
}

// exchange asks and hands the reply's body to use, while it is good.
func (c *Client) exchange(ctx context.Context, op byte, use func([]byte) error, parts ...[]byte) error {
	conn, err := c.take(ctx)
	if err != nil {
		return err
	}
	defer c.give(conn)
	body, err := conn.exchange(ctx, op, parts...)
	if err != nil {
		return err
	}
	return use(body)
}

func (c *clientConn) exchange(ctx context.Context, op byte, parts ...[]byte) ([]byte, error) {
	if deadline, has := ctx.Deadline(); has {
		_ = c.socket.SetDeadline(deadline)
		defer func() { _ = c.socket.SetDeadline(time.Time{}) }()
	}
	if err := c.write(op, parts...); err != nil {
		return nil, err
	}
	got, body, err := c.read()
	switch {
	case err != nil:
		return nil, err
	case got == opError:
		return nil, errors.New(string(body))
	case got != op:
		return nil, fmt.Errorf("floor: operation %d was answered by %d", op, got)
	default:
		return body, nil
	}
}

// Echo is load.Work's.
func (c *Client) Echo(ctx context.Context, id int64, name string, value []byte) (int64, string, []byte, error) {
	conn, err := c.take(ctx)
	if err != nil {
		return 0, "", nil, err
	}
	defer c.give(conn)
	binary.LittleEndian.PutUint64(conn.id[:], uint64(id))
	body, err := conn.exchange(ctx, opEcho, conn.id[:], []byte(name), value)
	if err != nil {
		return 0, "", nil, err
	}
	if len(body) != 8+len(name)+len(value) {
		return 0, "", nil, fmt.Errorf("floor: %d bytes came back", len(body))
	}
	return int64(binary.LittleEndian.Uint64(body)), name, value, nil
}

// Put is load.Work's.
func (c *Client) Put(ctx context.Context, payload []byte) (size int64, err error) {
	err = c.exchange(ctx, opPut, func(body []byte) error {
		size, err = parseNumber(body)
		return err
	}, payload)
	return size, err
}

// Get is load.Work's.
func (c *Client) Get(ctx context.Context, size int64) (payload []byte, err error) {
	err = c.exchange(ctx, opGet, func(body []byte) error {
		payload = append([]byte(nil), body...)
		return nil
	}, number(size))
	return payload, err
}

// Print is load.Work's.
func (c *Client) Print(ctx context.Context, format string, lines int64) error {
	return c.exchange(ctx, opPrint, func([]byte) error { return nil }, number(lines), []byte(format))
}

// Hold is load.Work's.
func (c *Client) Hold(ctx context.Context, micros int64) error {
	return c.exchange(ctx, opHold, func([]byte) error { return nil }, number(micros))
}

// Usage is load.Work's.
func (c *Client) Usage(ctx context.Context) (usage []int64, err error) {
	err = c.exchange(ctx, opUsage, func(body []byte) error {
		for len(body) >= 8 {
			usage = append(usage, int64(binary.LittleEndian.Uint64(body)))
			body = body[8:]
		}
		return nil
	})
	return usage, err
}

func parseNumber(body []byte) (int64, error) {
	if len(body) != 8 {
		return 0, fmt.Errorf("floor: a number of %d bytes", len(body))
	}
	return int64(binary.LittleEndian.Uint64(body)), nil
}
