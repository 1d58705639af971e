// Package callback is a contract of plugingen whose plugin calls its host back. It is apart from package contract: what callbacks link
// is not in the program that starts and calls are measured with.
package callback

import "context"

//go:generate go -C ../.. run ./cmd/plugingen generate -type Caller bench/callback

// Caller calls back.
type Caller interface {
	// CallBack calls back times times, one after the other.
	CallBack(ctx context.Context, times int64, back func(ctx context.Context, n int64) (int64, error)) error
}

// Implementation is what the plugin serves.
type Implementation struct{}

var _ Caller = Implementation{}

// CallBack is Caller's.
func (Implementation) CallBack(ctx context.Context, times int64, back func(context.Context, int64) (int64, error)) error {
	for n := range times {
		if _, err := back(ctx, n); err != nil {
			return err
		}
	}
	return nil
}
