// Package contract is the bench's work as a contract of plugingen.
package contract

import (
	"context"

	"github.com/plugingen/plugingen/bench/load"
	"github.com/plugingen/plugingen/runtime/handshake"
)

//go:generate go -C ../.. run ./cmd/plugingen generate -type Work bench/contract

// Work is load.Work, said again: the generator takes the interfaces of the package that it writes into.
type Work interface {
	// Echo returns what it is given.
	Echo(ctx context.Context, id int64, name string, value []byte) (sameID int64, sameName string, sameValue []byte, err error)
	// Put takes a payload and returns its size.
	Put(ctx context.Context, payload []byte) (size int64, err error)
	// Get returns size bytes.
	Get(ctx context.Context, size int64) (payload []byte, err error)
	// Print writes lines lines of the given format on the plugin's stderr, and a last one that says load.LastLine.
	Print(ctx context.Context, format string, lines int64) error
	// Hold returns after a time.
	Hold(ctx context.Context, micros int64) error
	// Usage says what the plugin has used so far.
	Usage(ctx context.Context) (usage []int64, err error)
}

var _ Work = load.Work(nil)

// Handshake is what host and plugin agree on.
//
//nolint:gochecknoglobals // a contract has one, as the scaffold writes it
var Handshake = handshake.Config{
	MagicCookieKey:   "PLUGINGEN_BENCH_COOKIE",
	MagicCookieValue: "d0f0c6b6a6f1",
	ProtocolVersions: []int{1},
}
