package relay_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/plugingen/plugingen/runtime/relay"
)

// FuzzRelay: any bytes, in any pieces, with any bound on lines: no panic, and nothing gets lost.
func FuzzRelay(f *testing.F) {
	f.Add([]byte("a\nb\r\nc"), uint8(16), false)
	f.Add([]byte("panic: a\n\ngoroutine 1 [running]:\nmain.main()\n\t/x\n\nlater"), uint8(20), true)
	f.Add([]byte(slogLine+hclogLine+textLine+"[INFO] a\nlevel=info msg=b\n"), uint8(255), false)
	f.Add(bytes.Repeat([]byte{0xf0, 0x9f, 0x91, 0xa9}, 40), uint8(17), true)
	f.Fuzz(func(t *testing.T, in []byte, maxLine uint8, slowly bool) {
		bound := max(int(maxLine), 16)
		if maxLine == 0 {
			bound = 64 << 10 // the default
		}
		var texts []string
		lines := 0
		h := handlerFunc(func(r slog.Record) error {
			if r.Message == "a line of the plugin could not be logged" {
				t.Errorf("the relay panicked: %s", text(r))
			}
			checkShown(t, r)
			lines++
			if trace := attr(r, "trace"); trace.Kind() == slog.KindString {
				lines += 1 + strings.Count(trace.String(), "\n")
			}
			texts = append(texts, r.Message)
			return nil
		})
		src := io.Reader(bytes.NewReader(in))
		if slowly {
			src = iotest.OneByteReader(src)
		}
		r := relay.New(relay.Config{Logger: logTo(h), MaxLine: int(maxLine), Patience: time.Minute, DrainTimeout: time.Minute})
		if err := r.Run(src); err != nil {
			t.Fatal(err) // says how many lines were lost
		}
		checkCount(t, in, bound, lines)
		for _, line := range r.Tail() {
			checkSafe(t, line, "tail")
		}
		if !mayBeTrace(string(in)) && len(texts) > 0 && len(texts[0]) > 4*bound+len(in) {
			t.Errorf("%d bytes out of a line of at most %d", len(texts[0]), bound)
		}
	})
}

// mayBeTrace says whether parts of long lines may have been put together again, as those of a panic's first line are.
func mayBeTrace(in string) bool {
	for _, sign := range []string{"panic: ", "fatal", "runtime: ", "unexpected fault", "SIG", "goroutine "} {
		if strings.Contains(in, sign) {
			return true
		}
	}
	return false
}

// checkCount: as many lines come out as go in, but for blank ones around a trace and parts of long lines that it joins.
func checkCount(t *testing.T, in []byte, bound, lines int) {
	want, slack := 0, 0
	for line := range bytes.Lines(in) {
		text := bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
		want++
		if len(text) == 0 {
			slack++
		}
		if len(text) > bound {
			return // how many parts it makes is for the golden cases
		}
	}
	if lines > want || lines < want-slack {
		t.Errorf("%d lines went in, %d came out", want, lines)
	}
}

// checkShown: no attribute of a record can do anything to a terminal, and slog's handlers can write it.
func checkShown(t *testing.T, r slog.Record) {
	checkSafe(t, r.Message, "message")
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "trace" {
			for line := range strings.Lines(a.Value.String()) {
				checkSafe(t, strings.TrimSuffix(line, "\n"), "trace")
			}
			return true
		}
		checkAttr(t, a)
		return true
	})
	var out bytes.Buffer
	if err := slog.NewJSONHandler(&out, nil).Handle(t.Context(), r); err != nil || !json.Valid(out.Bytes()) ||
		bytes.Contains(out.Bytes(), []byte("!ERROR")) || bytes.Count(out.Bytes(), []byte("\n")) != 1 {
		t.Errorf("JSONHandler: %v: %s", err, &out)
	}
}

func checkAttr(t *testing.T, a slog.Attr) {
	checkSafe(t, a.Key, "key")
	if a.Key == "" {
		t.Error("a key is empty")
	}
	if a.Value.Kind() != slog.KindGroup {
		checkSafe(t, a.Value.String(), "value")
		return
	}
	if len(a.Value.Group()) == 0 {
		t.Errorf("group %q is empty: slog leaves it out", a.Key)
	}
	for _, member := range a.Value.Group() {
		checkAttr(t, member)
	}
}

func checkSafe(t *testing.T, text, where string) {
	if !utf8.ValidString(text) {
		t.Errorf("%s is not UTF-8: %q", where, text)
	}
	for _, r := range text {
		if unicode.IsControl(r) && r != '\t' || unicode.Is(unicode.Bidi_Control, r) || r == 0x2028 || r == 0x2029 {
			t.Errorf("%s has %U in it: %q", where, r, text)
		}
	}
}

// FuzzEscape: what comes out is safe, and what was safe stays as it is.
func FuzzEscape(f *testing.F) {
	f.Add("plain")
	f.Add("\x1b[31m \u009b \u202e \u2028 \xff \t \\")
	f.Fuzz(func(t *testing.T, in string) {
		out := relay.Escape(in)
		checkSafe(t, out, "text")
		if again := relay.Escape(out); again != out {
			t.Errorf("%q becomes %q the second time", out, again)
		}
		if len(out) > 4*len(in) {
			t.Errorf("%d bytes become %d", len(in), len(out))
		}
	})
}
