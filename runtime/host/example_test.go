//go:build unix

package host_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/host"
)

// Echoer is a contract, and echoService what plugingen generates for it.
type Echoer interface {
	Echo(ctx context.Context, text string) (string, error)
}

type echoClient struct{ conn grpc.ClientConnInterface }

func (c echoClient) Echo(ctx context.Context, text string) (string, error) {
	out := &wrapperspb.StringValue{}
	if err := c.conn.Invoke(ctx, "/test.Deeds/Do", wrapperspb.String(text), out); err != nil {
		return "", runtime.CallFailed("Echoer.Echo", err)
	}
	return out.GetValue(), nil
}

func echoService() runtime.Service[Echoer] {
	return runtime.Service[Echoer]{
		Name:      "test.Deeds",
		NewClient: func(c grpc.ClientConnInterface) Echoer { return echoClient{c} },
	}
}

func Example() {
	ctx := context.Background()
	p, err := host.Open(ctx, host.Config{
		Handshake: testHandshake(),
		Path:      os.Args[0],                        // here this very program; else such as ./plugins/echo
		Env:       []string{faultEnv + "=" + "good"}, // which then is the plugin
		Logger:    slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}
	echoer, err := host.Dispense(p, echoService())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(echoer.Echo(ctx, "hello"))
	fmt.Println(p.Close())
	// Output:
	// hello <nil>
	// <nil>
}

func ExampleOpen() {
	_, err := host.Open(context.Background(), host.Config{Handshake: testHandshake(), Path: "./no-such-plugin"})
	var e *host.Error
	if errors.As(err, &e) {
		fmt.Println(e.Error())
		fmt.Println("hint:", e.Hint)
	}
	// Output:
	// plugin ./no-such-plugin: launch: start: there is no such file: no such file or directory
	// hint: check the path, and whether the plugin has been built
}

// A plugin that ends by itself says how, to whoever waits for it and to whoever calls it.
func ExamplePlugin_Done() {
	ctx := context.Background()
	p, err := host.Open(ctx, host.Config{
		Handshake: testHandshake(),
		Path:      os.Args[0],
		Env:       []string{faultEnv + "=" + "plain"},
		Logger:    slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = p.Close() }() // says the same as Err
	echoer, err := host.Dispense(p, echoService())
	if err != nil {
		log.Fatal(err)
	}
	_, err = echoer.Echo(ctx, "exit-5")
	fmt.Println("the call says why:", errors.Is(err, host.ErrExited))
	<-p.Done()
	var e *host.Error
	fmt.Println(errors.As(p.Err(), &e), e.Stage, e.ExitCode)
	// Output:
	// the call says why: true
	// true run 5
}

func ExamplePlugin_Ping() {
	p, err := host.Open(context.Background(), host.Config{
		Handshake: testHandshake(),
		Path:      os.Args[0],
		Env:       []string{faultEnv + "=" + "good"},
		Logger:    slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.Ping(context.Background()))
	_ = p.Close()
	err = p.Ping(context.Background())
	fmt.Println(errors.Is(err, host.ErrClosed))
	// Output:
	// <nil>
	// true
}

// A plugin that calls its host back: the host serves something under a number, and tells the plugin that number in a call.
func ExamplePlugin_Broker() {
	ctx := context.Background()
	p, err := host.Open(ctx, host.Config{
		Handshake: testHandshake(),
		Path:      os.Args[0],
		Env:       []string{faultEnv + "=" + "good"},
		Logger:    slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}
	echoer, err := host.Dispense(p, echoService())
	if err != nil {
		log.Fatal(err)
	}
	b := p.Broker()
	id := b.NextID()
	served := make(chan error, 1)
	go func() { served <- b.AcceptAndServe(ctx, id, deeds()) }() // a runtime.Service's Implement returns what is served

	// The plugin's method has the other end in broker.FromContext, dials the number and calls what is served there.
	fmt.Println(echoer.Echo(ctx, fmt.Sprintf("callback %d hello", id)))
	fmt.Println(p.Close())
	fmt.Println(<-served != nil) // it ended with the plugin
	// Output:
	// hello <nil>
	// <nil>
	// true
}

func ExampleFind() {
	dir, err := os.MkdirTemp("", "plugins")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	for _, name := range []string{"greet-polish", "greet-english", "README.md"} {
		mode := os.FileMode(0o755)
		if filepath.Ext(name) == ".md" {
			mode = 0o644
		}
		if err := os.WriteFile(filepath.Join(dir, name), nil, mode); err != nil {
			log.Fatal(err)
		}
	}
	found, err := host.Find(dir, "greet-*")
	for _, path := range found {
		fmt.Println(filepath.Base(path))
	}
	fmt.Println(err)
	// Output:
	// greet-english
	// greet-polish
	// <nil>
}

// A host that takes two versions of a contract learns from the plugin which one they have in common: the highest. Each version
// is a package of its own, here one type each.
func ExamplePlugin_Version() {
	ctx := context.Background()
	contract := testHandshake()
	contract.ProtocolVersions = []int{1, 2}
	p, err := host.Open(ctx, host.Config{
		Handshake: contract,
		Path:      os.Args[0],
		Env:       []string{faultEnv + "=" + "good"}, // it serves both
		Logger:    slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err) // handshake.ErrVersion when there is none in common
	}
	defer func() { _ = p.Close() }()

	var greet func(name string) (string, error)
	switch p.Version() {
	case 2: // echov2.EchoerService: with a context
		echoer, err := host.Dispense(p, echoService())
		if err != nil {
			log.Fatal(err)
		}
		greet = func(name string) (string, error) { return echoer.Echo(ctx, "dear "+name) }
	case 1: // echov1.EchoerService: an adapter makes the old one serve as the new one
		echoer, err := host.Dispense(p, echoService())
		if err != nil {
			log.Fatal(err)
		}
		greet = func(name string) (string, error) { return echoer.Echo(context.Background(), name) }
	}
	fmt.Println(p.Version())
	fmt.Println(greet("Ada"))
	// Output:
	// 2
	// dear Ada <nil>
}

// Nothing restarts a plugin by itself. Done, Err and the stages of an Error are enough to do so: wait longer after each failure, give up
// on what another start cannot mend, and begin anew with short waits when a plugin has been well for a while.
func Example_restart() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	cfg := host.Config{
		Handshake: testHandshake(),
		Path:      os.Args[0],
		Env:       []string{faultEnv + "=" + "plain"},
		Logger:    slog.New(slog.DiscardHandler),
		Watchdog:  host.Watchdog{Interval: time.Minute}, // one that hangs is restarted, too
	}
	const first, longest, well = time.Millisecond, time.Minute, 10 * time.Minute

	lives := 0
	use := func(p *host.Plugin) { // what the host does with its plugin
		lives++
		deed := "exit-5"
		if lives == 3 {
			deed = "hello"
			defer cancel() // the host has what it wanted
		}
		echoer, err := host.Dispense(p, echoService())
		if err != nil {
			log.Fatal(err)
		}
		text, err := echoer.Echo(ctx, deed)
		fmt.Printf("life %d: %q, ended: %t\n", lives, text, errors.Is(err, host.ErrExited))
	}

	for wait := first; ctx.Err() == nil; wait = min(2*wait, longest) {
		began := time.Now()
		err := oneLife(ctx, cfg, use)
		var e *host.Error
		switch {
		case errors.As(err, &e) && (e.Stage == host.StageConfig || e.Stage == host.StageNegotiate):
			log.Fatal(e, e.Hint) // it is the wrong plugin, or the wrong host
		case errors.As(err, &e):
			fmt.Printf("stage %s, exit code %d\n", e.Stage, e.ExitCode)
		}
		if time.Since(began) > well {
			wait = first
		}
		select {
		case <-time.After(wait): // with some jitter, where many hosts restart at once
		case <-ctx.Done():
		}
	}
	// Output:
	// life 1: "", ended: true
	// stage run, exit code 5
	// life 2: "", ended: true
	// stage run, exit code 5
	// life 3: "hello", ended: false
}

// oneLife returns why the plugin could not start, or ended; nil when ctx did.
func oneLife(ctx context.Context, cfg host.Config, use func(*host.Plugin)) error {
	p, err := host.Open(ctx, cfg)
	if err != nil {
		return err
	}
	use(p)
	select {
	case <-p.Done():
		_ = p.Close() // says the same as Err
		return p.Err()
	case <-ctx.Done():
		return p.Close()
	}
}

// A watchdog ends a plugin that hangs; whoever waits for an answer, or for the plugin's end, learns that.
func ExampleWatchdog() {
	ctx := context.Background()
	p, err := host.Open(ctx, host.Config{
		Handshake: testHandshake(),
		Path:      os.Args[0],
		Env:       []string{faultEnv + "=" + "plain"},
		Logger:    slog.New(slog.DiscardHandler),
		Watchdog:  host.Watchdog{Interval: 100 * time.Millisecond, Misses: 2},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = p.Close() }()
	echoer, err := host.Dispense(p, echoService())
	if err != nil {
		log.Fatal(err)
	}
	_, err = echoer.Echo(ctx, "stop") // the whole process stands still
	fmt.Println(errors.Is(err, host.ErrUnresponsive))
	<-p.Done()
	fmt.Println(errors.Is(p.Err(), host.ErrUnresponsive))
	// Output:
	// true
	// true
}

// A plugin that has closed its listener is called as before, but cannot be connected to again.
func ExamplePlugin_Reachable() {
	ctx := context.Background()
	p, err := host.Open(ctx, host.Config{
		Handshake: testHandshake(),
		Path:      os.Args[0],
		Env:       []string{faultEnv + "=" + "plain"},
		Logger:    slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = p.Close() }()
	echoer, err := host.Dispense(p, echoService())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.Reachable(ctx))
	fmt.Println(echoer.Echo(ctx, "closesock"))
	fmt.Println(errors.Is(p.Reachable(ctx), host.ErrNotListening), p.Ping(ctx))
	// Output:
	// <nil>
	// closed <nil>
	// true <nil>
}
