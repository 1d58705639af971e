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
