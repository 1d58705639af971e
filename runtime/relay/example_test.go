package relay_test

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/plugingen/plugingen/runtime/relay"
)

// logger writes to stdout, without times, which differ from run to run.
func logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

// A host relays the pipe that it started the plugin with.
func ExampleNew() {
	stderr := strings.NewReader(`{"@level":"warn","@message":"disk nearly full","free":12}
[ERROR] cannot save
just a text
`)
	r := relay.New(relay.Config{Logger: logger().With("plugin", "greeter"), Stream: "stderr"})
	if err := r.Run(stderr); err != nil {
		fmt.Println(err)
	}
	// Output:
	// level=WARN msg="disk nearly full" plugin=greeter stream=stderr free=12
	// level=ERROR msg="cannot save" plugin=greeter stream=stderr
	// level=INFO msg="just a text" plugin=greeter stream=stderr
}

// A panic is one record, with its trace.
func ExampleRelay_Run() {
	stderr := strings.NewReader("panic: boom\n\ngoroutine 1 [running]:\nmain.main()\n\t/src/main.go:4 +0x18\nexit status 2\n")
	r := relay.New(relay.Config{Logger: logger()})
	if err := r.Run(stderr); err != nil {
		fmt.Println(err)
	}
	// Output:
	// level=ERROR msg="panic: boom" trace="goroutine 1 [running]:\nmain.main()\n\t/src/main.go:4 +0x18\nexit status 2"
}

// The tail says why a plugin ended; nothing in it can do harm to the terminal that shows it.
func ExampleRelay_Tail() {
	r := relay.New(relay.Config{Logger: slog.New(slog.DiscardHandler), TailLines: 2})
	if err := r.Run(strings.NewReader("starting\nlistening\n\x1b[31mno space left on device\x1b[0m\n")); err != nil {
		fmt.Println(err)
	}
	for _, line := range r.Tail() {
		fmt.Println(line)
	}
	// Output:
	// listening
	// \x1b[31mno space left on device\x1b[0m
}

func ExampleEscape() {
	fmt.Println(relay.Escape("two\nlines, \x1b[2Jclear, \u202eturned, \xff"))
	// Output: two\nlines, \x1b[2Jclear, \u202eturned, \xff
}

// Arrays are JSON.
func ExampleJSON() {
	stdout := strings.NewReader(`{"level":"INFO","msg":"found","files":["a",{"name":"b","size":3}]}` + "\n")
	log := slog.New(slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	if err := relay.New(relay.Config{Logger: log, Stream: "stdout"}).Run(stdout); err != nil {
		fmt.Println(err)
	}
	// Output: {"level":"INFO","msg":"found","stream":"stdout","files":["a",{"name":"b","size":3}]}
}

// What a logger does not take is told in the end.
func ExampleError() {
	full := handlerFunc(func(slog.Record) error { return errors.New("no space left on device") })
	err := relay.New(relay.Config{Logger: slog.New(full), Stream: "stderr"}).Run(strings.NewReader("one\ntwo\n"))
	var e *relay.Error
	if errors.As(err, &e) {
		fmt.Println(e.Lost, errors.Is(err, relay.ErrHandler))
	}
	fmt.Println(err)
	// Output:
	// 2 true
	// relay stderr: 2 lines not logged: the log handler failed: no space left on device
}

// A limit keeps a plugin that runs wild from filling the log; what is missing is counted.
func ExampleConfig_maxRate() {
	stderr := strings.NewReader("retrying\nretrying\nretrying\nretrying\n[DEBUG] below the logger's level\n")
	r := relay.New(relay.Config{Logger: logger(), MaxRate: 2})
	if err := r.Run(stderr); err != nil {
		fmt.Println(err)
	}
	// Output:
	// level=INFO msg=retrying
	// level=INFO msg=retrying
	// level=WARN msg="lines of the plugin were dropped: it writes more than is logged in a second" dropped=2 limit=2
}
