package rpc

import (
	"context"
	"iter"
)

// Values is a stream of messages that are there.
func Values[M any](messages ...*M) iter.Seq2[*M, error] {
	return func(yield func(*M, error) bool) {
		for _, m := range messages {
			if !yield(m, nil) {
				return
			}
		}
	}
}

// Channel is a stream of what comes from messages, until that is closed. When ctx ends first, its error is the last.
func Channel[M any](ctx context.Context, messages <-chan *M) iter.Seq2[*M, error] {
	return func(yield func(*M, error) bool) {
		for {
			select {
			case <-ctx.Done():
				yield(nil, context.Cause(ctx))
				return
			case m, open := <-messages:
				if !open || !yield(m, nil) {
					return
				}
			}
		}
	}
}

// Fail is a stream that gives nothing but the error.
func Fail[M any](err error) iter.Seq2[*M, error] {
	return func(yield func(*M, error) bool) { yield(nil, err) }
}
