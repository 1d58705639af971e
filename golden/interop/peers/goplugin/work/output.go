package work

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
)

// Output is what a peer printed, safe to read while it prints. NewOutput makes it.
type Output struct {
	mu      sync.Mutex
	buf     bytes.Buffer
	written chan struct{} // has room for one: somebody wrote since the last look
}

// NewOutput returns an empty Output.
func NewOutput() *Output { return &Output{written: make(chan struct{}, 1)} }

// Write is io.Writer's.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.written <- struct{}{}:
	default:
	}
	return o.buf.Write(p)
}

// String is all that was written so far.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// Wait returns when text has been written, or with an error when ctx ends. One goroutine at a time may wait.
func (o *Output) Wait(ctx context.Context, text string) error {
	for !strings.Contains(o.String(), text) {
		select {
		case <-o.written:
		case <-ctx.Done():
			return fmt.Errorf("%q was not printed; got %q: %w", text, o.String(), ctx.Err())
		}
	}
	return nil
}

// Record looks for the record whose message is LogMessage among lines of JSON, in which messages and levels have the
// given keys. The zero Record means that there is none.
func (o *Output) Record(messageKey, levelKey string) Record {
	for line := range strings.Lines(o.String()) {
		var fields map[string]any
		if json.Unmarshal([]byte(line), &fields) != nil || fields[messageKey] != LogMessage {
			continue
		}
		return Record{
			Level:  strings.ToLower(fmt.Sprint(fields[levelKey])),
			Answer: fmt.Sprint(fields["answer"]),
			Name:   fmt.Sprint(fields["name"]),
		}
	}
	return Record{}
}
