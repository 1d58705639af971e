// Package load is the work that every contestant carries: the interface, and the one implementation that all plugins serve.
//
// It imports nothing but the standard library, so that it adds nothing to what a plugin links.
package load

import "context"

// LastLine is in the last line that Print writes; hosts look for it.
const LastLine = "bench-last-line"

// Formats of the lines that Print writes.
const (
	Text  = "text"
	Slog  = "slog"  // log/slog's JSON
	HCLog = "hclog" // hashicorp/go-hclog's JSON
)

// Work is what a host asks of a plugin. All methods may be called concurrently.
type Work interface {
	// Echo returns what it is given: the small unary call.
	Echo(ctx context.Context, id int64, name string, value []byte) (sameID int64, sameName string, sameValue []byte, err error)
	// Put takes a payload and returns its size.
	Put(ctx context.Context, payload []byte) (size int64, err error)
	// Get returns size bytes.
	Get(ctx context.Context, size int64) (payload []byte, err error)
	// Print writes lines lines of the given format on the plugin's stderr, then one that holds LastLine, at level error.
	Print(ctx context.Context, format string, lines int64) error
	// Hold returns after a time: below a millisecond it computes all the while, else it waits, as for a disk.
	Hold(ctx context.Context, micros int64) error
	// Usage says what the plugin has used so far, as Usage's fields; see ParseUsage.
	Usage(ctx context.Context) (usage []int64, err error)
}

// Note is a message of streams.
type Note struct {
	ID    int64
	Name  string
	Value []byte
}

// SmallNote is the small message: 64 bytes as protobuf, with an id of two bytes.
func SmallNote() Note { return Note{ID: 4711, Name: "an eighteen bytes!", Value: make([]byte, 38)} }
