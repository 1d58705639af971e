package handshake_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/plugingen/plugingen/runtime/handshake"
)

const goodLine = "1|1|unix|/s|grpc|\n"

// read is Read with the noise it skipped.
func read(r *bufio.Reader) (response handshake.Response, noise []string, err error) {
	response, err = handshake.Read(r, func(line []byte) { noise = append(noise, string(line)) })
	return response, noise, err
}

func TestReadAccepts(t *testing.T) {
	long := strings.Repeat("n", 3*handshake.MaxLine)
	tests := map[string]struct {
		input, rest string
		noise       []string
	}{
		"line alone":            {input: goodLine},
		"carriage return":       {input: "1|1|unix|/s|grpc|\r\n"},
		"more follows":          {input: goodLine + "and\nso on", rest: "and\nso on"},
		"two handshakes":        {input: goodLine + goodLine, rest: goodLine},
		"blank lines":           {input: "\n\r\n \t\n" + goodLine},
		"noise":                 {input: "loading\nlog: a\r\n" + goodLine, noise: []string{"loading", "log: a"}},
		"noise with pipes":      {input: "a|b|c|d|e|f\n|||||\n1|2|3|4\n2024|01|info|hello|x|y\n" + goodLine, noise: []string{"a|b|c|d|e|f", "|||||", "1|2|3|4", "2024|01|info|hello|x|y"}},
		"noise in other bytes":  {input: "\xff\xfe\x00\n" + goodLine, noise: []string{"\xff\xfe\x00"}},
		"too few fields":        {input: "1|1|unix\n" + goodLine, noise: []string{"1|1|unix"}},
		"no newline, then exit": {input: "1|1|unix|/s|grpc|"},
		"noise, no newline":     {input: "x\n1|1|unix|/s|grpc|", noise: []string{"x"}},
		"most noise lines":      {input: strings.Repeat("\n", handshake.MaxNoiseLines) + goodLine},
		"long noise": {
			input: long + "\n" + goodLine,
			noise: []string{long[:handshake.MaxLine+2], long[:handshake.MaxLine+2], long[:handshake.MaxLine-4]},
		},
	}
	for name, test := range tests {
		for kind, wrap := range readers() {
			t.Run(name+"/"+kind, func(t *testing.T) {
				r := wrap(test.input)
				got, noise, err := read(r)
				if err != nil {
					t.Fatal(err)
				}
				equal(t, got, unixResponse("/s"))
				equal(t, noise, test.noise)
				rest, err := io.ReadAll(r)
				if err != nil {
					t.Fatal(err)
				}
				equal(t, string(rest), test.rest)
			})
		}
	}
}

// readers are ways in which a pipe's bytes arrive.
func readers() map[string]func(string) *bufio.Reader {
	return map[string]func(string) *bufio.Reader{
		"whole":       func(s string) *bufio.Reader { return bufio.NewReader(strings.NewReader(s)) },
		"large":       func(s string) *bufio.Reader { return bufio.NewReaderSize(strings.NewReader(s), 1<<20) },
		"byte wise":   func(s string) *bufio.Reader { return bufio.NewReader(iotest.OneByteReader(strings.NewReader(s))) },
		"data at EOF": func(s string) *bufio.Reader { return bufio.NewReader(iotest.DataErrReader(strings.NewReader(s))) },
		"smallest":    func(s string) *bufio.Reader { return bufio.NewReaderSize(strings.NewReader(s), 16) },
	}
}

func TestReadRefuses(t *testing.T) {
	tests := map[string]struct {
		input string
		want  []error
		says  string
	}{
		"nothing":               {"", []error{handshake.ErrNoHandshake, io.EOF}, "0 bytes"},
		"blank lines alone":     {"\n\n", []error{handshake.ErrNoHandshake, io.EOF}, "2 lines"},
		"noise alone":           {"usage: x\n", []error{handshake.ErrNoHandshake, io.EOF}, `lastly "usage: x"`},
		"unfinished noise":      {"usage: x", []error{handshake.ErrNoHandshake, io.ErrUnexpectedEOF}, `8 bytes of an unfinished one, "usage: x"`},
		"unfinished handshake":  {"1|1|unix", []error{handshake.ErrNoHandshake, io.ErrUnexpectedEOF}, `8 bytes of an unfinished one, "1|1|unix"`},
		"two halves on lines":   {"1|1|uni\nx|/s|grpc|\n", []error{handshake.ErrNoHandshake, io.EOF}, `"x|/s|grpc|"`},
		"wrong core":            {"2|1|unix|/s|grpc|\n" + goodLine, []error{handshake.ErrUnsupportedCore}, "2, want 1"},
		"wrong network":         {"1|1|udp|/s|grpc|\n" + goodLine, []error{handshake.ErrNetwork}, `"udp"`},
		"wrong protocol":        {"1|1|unix|/s|http|\n" + goodLine, []error{handshake.ErrProtocol}, `"http"`},
		"wrong version":         {"1|v1|unix|/s|grpc|\n" + goodLine, []error{handshake.ErrMalformed}, `"v1"`},
		"too many fields":       {"1|1|unix|/s|grpc||true|8\n" + goodLine, []error{handshake.ErrMalformed}, "8 fields"},
		"other digits":          {"١|1|unix|/s|grpc|\n" + goodLine, []error{handshake.ErrMalformed}, "core version"},
		"print before the line": {"loading... 1|1|unix|/s|grpc|\n", []error{handshake.ErrMalformed}, "loading... 1"},
		"invalid UTF-8":         {"1|1|unix|/\xff|grpc|\n" + goodLine, []error{handshake.ErrMalformed}, `\xff`},
		"too long":              {"1|1|unix|/" + strings.Repeat("p", handshake.MaxLine) + "|grpc|\n" + goodLine, []error{handshake.ErrTooLong}, "16384"},
		"long with blanks":      {"1|1|unix|/s|grpc|" + strings.Repeat(" ", handshake.MaxLine) + "x\n" + goodLine, []error{handshake.ErrTooLong}, "16384"},
		"too many noise lines":  {strings.Repeat("x\n", handshake.MaxNoiseLines+1) + goodLine, []error{handshake.ErrNoHandshake, handshake.ErrTooLong}, "1001 lines"},
		"too many blank lines":  {strings.Repeat("\n", handshake.MaxNoiseLines+1) + goodLine, []error{handshake.ErrNoHandshake, handshake.ErrTooLong}, "1001 lines"},
		"too much noise":        {strings.Repeat(strings.Repeat("x", 9999)+"\n", 105) + goodLine, []error{handshake.ErrNoHandshake, handshake.ErrTooLong}, "105 lines"},
		"handshake within long": {strings.Repeat("x", handshake.MaxLine+2) + goodLine, []error{handshake.ErrNoHandshake, io.EOF}, "1 lines"},
		"end of long is valid":  {strings.Repeat("x", handshake.MaxLine+2) + "1|1|unix|/s|grpc|", []error{handshake.ErrNoHandshake, io.ErrUnexpectedEOF}, ""},
	}
	for name, test := range tests {
		for kind, wrap := range readers() {
			if kind == "byte wise" && len(test.input) > 64<<10 {
				continue // the others show as much, and sooner
			}
			t.Run(name+"/"+kind, func(t *testing.T) {
				got, _, err := read(wrap(test.input))
				for _, want := range test.want {
					checkError(t, err, want)
				}
				if !strings.Contains(err.Error(), test.says) {
					t.Errorf("got %v, want it to say %s", err, test.says)
				}
				equal(t, got, handshake.Response{})
			})
		}
	}
}

func TestReadEndsWithItsPipe(t *testing.T) {
	// Of a pipe that its host closes nobody knows what was still to come, so not even the second is a whole line.
	for _, unfinished := range []string{"1|1|unix|/s|gr", "1|1|unix|/s|grpc|"} {
		r, w := io.Pipe()
		go func() {
			_, _ = io.WriteString(w, unfinished)
			_ = w.CloseWithError(io.ErrClosedPipe)
		}()
		_, noise, err := read(bufio.NewReader(r))
		checkError(t, err, handshake.ErrNoHandshake)
		checkError(t, err, io.ErrClosedPipe)
		equal(t, noise, []string{unfinished})
	}
}

func TestReadIsEndedByClosingAPipeOfTheSystem(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }() // the plugin lives on, and says no more
	ended := make(chan error)
	heard := make(chan string, 2)
	go func() {
		_, err := handshake.Read(bufio.NewReader(r), func(line []byte) { heard <- string(line) })
		ended <- err
	}()
	if _, err := io.WriteString(w, "hello\n1|1|unix|/s|grpc|"); err != nil {
		t.Fatal(err)
	}
	equal(t, <-heard, "hello")
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	err = <-ended
	checkError(t, err, handshake.ErrNoHandshake)
	checkError(t, err, os.ErrClosed)
	equal(t, <-heard, "1|1|unix|/s|grpc|")
}

func TestReadOfAPluginThatTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		go func() {
			for _, half := range []string{"1|1|unix", "|/s|grpc|\n"} {
				<-time.After(5 * time.Second) // the bubble's clock: no real time passes
				_, _ = io.WriteString(w, half)
			}
			_ = w.Close()
		}()
		got, noise, err := read(bufio.NewReader(r))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, got, unixResponse("/s"))
		equal(t, noise, []string(nil))
		_, _ = io.Copy(io.Discard, r)
	})
}

// endless is a plugin that floods its host with one byte for ever.
type endless struct {
	char byte
	read int
}

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = e.char
	}
	e.read += len(p)
	if e.read > 64<<20 {
		return 0, errors.New("read 64 MiB")
	}
	return len(p), nil
}

func TestReadOfAFloodIsBounded(t *testing.T) {
	for name, char := range map[string]byte{"without newline": 'x', "newlines": '\n', "pipes": '|', "NUL": 0} {
		t.Run(name, func(t *testing.T) {
			source := &endless{char: char}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := handshake.Read(bufio.NewReader(source), nil)
			runtime.ReadMemStats(&after)
			checkError(t, err, handshake.ErrTooLong)
			if limit := handshake.MaxNoiseBytes + handshake.MaxLine + 64<<10; source.read > limit {
				t.Errorf("got %d bytes read, want at most %d", source.read, limit)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
				t.Errorf("got %d bytes allocated, want at most 1 MiB", used)
			}
		})
	}
}

func ExampleRead() {
	stdout := bufio.NewReader(strings.NewReader("warming up\n1|1|unix|/run/plugin.sock|grpc|\nand more"))
	r, err := handshake.Read(stdout, func(line []byte) { fmt.Printf("skipped %q\n", line) })
	rest, _ := io.ReadAll(stdout)
	fmt.Printf("%s %v, left %q\n", r.Address, err, rest)
	// Output:
	// skipped "warming up"
	// /run/plugin.sock <nil>, left "and more"
}
