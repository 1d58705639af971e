package runtime_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/plugingen/plugingen/runtime"
)

func TestReadBufferIsBounded(t *testing.T) {
	for size, want := range map[int64]int{-1: 0, 0: 0, 7: 7, runtime.MostRead: runtime.MostRead, 1 << 62: runtime.MostRead} {
		if got := len(runtime.ReadBuffer(size)); got != want {
			t.Errorf("%d: got %d, want %d", size, got, want)
		}
	}
}

func TestFilledBelievesNoNonsense(t *testing.T) {
	for n, want := range map[int]int{-1: 0, 0: 0, 3: 3, 5: 4} {
		if got := len(runtime.Filled(make([]byte, 4), n)); got != want {
			t.Errorf("%d: got %d, want %d", n, got, want)
		}
	}
}

func TestInParts(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789"), runtime.MostRead/4)
	source := bytes.NewReader(data)
	read := func(part []byte, done int64) (int, error) {
		if len(part) > runtime.MostRead {
			t.Errorf("a part of %d bytes", len(part))
		}
		return source.ReadAt(part, done)
	}
	got := make([]byte, len(data))
	if n, err := runtime.InParts(got, read); n != len(data) || err != nil || !bytes.Equal(got, data) {
		t.Errorf("got %d bytes, %v", n, err)
	}
	if n, err := runtime.InParts(make([]byte, len(data)+1), read); n != len(data) || !errors.Is(err, io.EOF) {
		t.Errorf("beyond the end: got %d bytes, %v", n, err)
	}
	short := func(part []byte, _ int64) (int, error) { return len(part) / 2, nil }
	if n, err := runtime.InParts(make([]byte, 10), short); n != 5 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("short: got %d bytes, %v", n, err)
	}
	if n, err := runtime.InParts(nil, func([]byte, int64) (int, error) { return 0, nil }); n != 0 || err != nil {
		t.Errorf("nothing: got %d bytes, %v", n, err)
	}
}
