package lane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// idleWatch is how long a connection must be quiet until a goroutine reads, so that its loss is noticed though nobody calls.
const idleWatch = 20 * time.Millisecond

// Who reads. A caller that waits for its reply reads itself when nobody else does: its reply then comes without a
// hand-over. The background reads for all others: streams, callers that came second, and those whose context may end.
//
// table.reading says that somebody reads, or has been told to. It is set by the one who takes the reading, under the
// table's lock and after its call is in the table. Who stops reading looks there under the same lock: when calls are
// left it hands the reading to the background. So nobody waits for a reply while nobody reads.
//
// A quiet stream is none of the calls that are left: who stops reading beside it sees to it that the background reads
// before long, see client_stream_read.go.
//
// The background goes on when the replies of several callers have come: they are likely to call again, and handing the
// reading to and fro costs more than the one hand-over that a caller would save by reading itself.

// takeReading makes the caller the reader; false: somebody else is.
func (t *table) takeReading() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.reading {
		return false
	}
	t.reading = true
	return true
}

// leaveReading ends the caller's reading; false: calls are left, and the caller must see to it that somebody reads. When
// quiet ones are left, somebody must before long.
func (t *table) leaveReading() (left, quiet bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.loud() > 0 {
		return false, false
	}
	t.reading = false
	t.added++
	return true, t.quiet > 0
}

// needReader has the background read, unless somebody does.
func (c *Client) needReader() {
	if c.table.takeReading() {
		c.handOver()
	}
}

// handOver gives the caller's reading to the background.
func (c *Client) handOver() { c.token <- struct{}{} }

// readOwn reads until k is answered, if nobody else does. With a context that may end it only tries, for as long as
// spinning pays: who waits for the carrier cannot wait for a context as well.
func (c *Client) readOwn(k *call, mayEnd bool) {
	if !c.table.takeReading() {
		return
	}
	for len(k.answered) == 0 {
		if mayEnd && !c.frameCame() {
			break
		}
		if err := c.readSome(); err != nil {
			c.lost(err)
			return
		}
	}
	for s := k.stream; s != nil && s.ended() == nil && c.frameCame(); { // a large reply is there, and its end comes soon
		if err := c.readSome(); err != nil {
			c.lost(err)
			return
		}
	}
	if left, quiet := c.table.leaveReading(); !left {
		c.handOver()
	} else if quiet {
		c.watch.wake()
	}
}

// frameCame tells whether a whole frame is here, or comes while spinning pays.
func (c *Client) frameCame() bool {
	return c.r.buffered() || c.table.lone() && c.r.poll() && c.r.buffered()
}

// readSome waits for a frame, and handles it and those that came with it. Without an error perhaps none came.
func (c *Client) readSome() error {
	for {
		h, err := c.r.next()
		if errors.Is(err, errInterrupted) {
			return nil
		}
		if err == nil {
			err = c.handle(h)
		}
		if err != nil || !c.r.buffered() {
			return err
		}
	}
}

func (c *Client) isReady() bool {
	select {
	case <-c.ready:
		return true
	default:
		return false
	}
}

// background reads the preface, and then whenever it is told to or nothing happens.
func (c *Client) background() {
	timer := time.NewTimer(idleWatch)
	defer timer.Stop()
	var err error
	if !c.isReady() {
		err = c.readPreface()
	}
	for err == nil {
		if c.backgroundLeaves() && !c.awaitReading(timer) {
			return
		}
		err = c.readSome()
	}
	c.lost(err)
}

func (c *Client) readPreface() error {
	theirs, err := readPreface(c.r)
	if err != nil {
		return err
	}
	c.theirs = theirs
	c.table.raise(theirs.maxCalls)
	if c.r.buffered() { // what the peer serves, say
		if err := c.readSome(); err != nil {
			return err
		}
	}
	close(c.ready)
	return nil
}

// lost ends the connection because reading it did.
func (c *Client) lost(err error) {
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("lane: connection lost: the peer closed it: %w", io.EOF)
		if c.drained() {
			err = ErrDrained
		}
	} else if !errors.Is(err, ErrProtocol) {
		err = fmt.Errorf("lane: connection lost: %w", err)
	}
	c.fail(err)
	_ = c.carrier.Close()
}

// waitFor waits for the answer or the end of ctx; false: ctx has ended and k was given up.
func (c *Client) waitFor(ctx context.Context, id uint32, k *call) bool {
	done := ctx.Done()
	c.readOwn(k, done != nil)
	select {
	case <-k.answered:
		return true
	case <-done:
	}
	turn, ok := c.table.abandon(id, k, nil)
	if !ok {
		<-k.answered // it came meanwhile
		return true
	}
	c.sendCancel(id, turn)
	return false
}
