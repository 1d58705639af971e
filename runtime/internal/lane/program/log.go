package program

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// log is what one side of a call has seen, in order.
type log struct {
	mu    sync.Mutex
	lines []string
}

func (l *log) add(what ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, strings.TrimSuffix(fmt.Sprintln(what...), "\n"))
}

// String is one line for each thing seen.
func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

// message is one whose bytes no other message of its size has.
func message(seed, size int) *wrapperspb.BytesValue {
	text := fmt.Appendf(nil, "message %d of %d bytes, ", seed, size)
	return wrapperspb.Bytes(bytes.Repeat(text, size/len(text)+1)[:size])
}

func hash(b []byte) string { return fmt.Sprintf("%d bytes %08x", len(b), crc32.ChecksumIEEE(b)) }

// code is what can be compared of any error.
func code(err error) string {
	if errors.Is(err, io.EOF) {
		return "EOF"
	}
	return status.Code(err).String()
}

// full is all that a caller sees of the error that a handler has returned.
func full(err error) string {
	if err == nil || errors.Is(err, io.EOF) {
		return code(err)
	}
	st := status.Convert(err)
	return fmt.Sprintf("%v %q %v", st.Code(), st.Message(), st.Details())
}

// words is the metadata that programs send.
func words(md metadata.MD) string {
	var list []string
	for _, k := range slices.Sorted(maps.Keys(md)) {
		if strings.HasPrefix(k, "x-") {
			list = append(list, fmt.Sprintf("%s=%q", k, md[k]))
		}
	}
	return strings.Join(list, " ")
}
