//go:build unix

package host_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"google.golang.org/grpc"

	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/host"
	"github.com/plugingen/plugingen/runtime/plugin"
)

// helpers are programs that tests need besides faulty plugins.
func helpers() map[string]func() int {
	return map[string]func() int{
		"good":    good,
		"noting":  noting,
		"no-lane": func() int { return goodWith(func(c *plugin.Config) { c.NoLane = true }) },
		"server-options": func() int {
			return goodWith(func(c *plugin.Config) { c.ServerOptions = []grpc.ServerOption{grpc.MaxConcurrentStreams(100)} })
		},
		"programs":     programs,
		"busy-host":    busyHost,
		"own-tls":      ownTLS,
		"printer":      printer,
		"doomed-host":  doomedHost,
		"attacher":     attacher,
		"closing-host": closingHost,
		"fewfiles": func() int {
			return fewFiles(os.Args[1], os.Args[2])
		},
	}
}

// good is a plugin as its author would write it.
func good() int { return goodWith(func(*plugin.Config) {}) }

func goodWith(change func(*plugin.Config)) int {
	cfg := plugin.Config{
		Handshake: testHandshake(),
		Services:  map[int][]runtime.Implementation{1: {deeds()}, 2: {deeds()}},
	}
	change(&cfg)
	return plugin.Main(cfg)
}

// ownTLS is a plugin with certificates of its contract's: they are in the files that it is told.
func ownTLS() int {
	cert, err := tls.LoadX509KeyPair(os.Getenv("OWN_TLS"), os.Getenv("OWN_TLS"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return plugin.Main(plugin.Config{
		Handshake: testHandshake(),
		Services:  map[int][]runtime.Implementation{1: {deeds()}},
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13},
	})
}

func deeds() runtime.Implementation {
	return runtime.Raw("test.Deeds", func(r grpc.ServiceRegistrar) { registerDeeds(r, noListener{}) })
}

type noListener struct{ net.Listener }

// printer prints on its standard output from the first moment to the last.
func printer() int {
	fmt.Println("printed early")
	stop := make(chan struct{})
	var printing sync.WaitGroup
	printing.Go(func() {
		for i := 0; ; i++ {
			fmt.Println("print", i, strings.Repeat("p", 1<<10))
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
			}
		}
	})
	defer printing.Wait()
	defer close(stop)
	return good()
}

// fewFiles is a host with so few descriptors that it cannot open as many plugins as it wants to.
func fewFiles(socketDir, mark string) int {
	limit := syscall.Rlimit{Cur: 64, Max: 64}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		fmt.Println(err)
		return 1
	}
	before := countFiles()
	opened, failed := openMany(40, socketDir, mark)
	for _, p := range opened {
		if err := p.Close(); err != nil {
			fmt.Println("close:", err)
			return 1
		}
	}
	for deadline := time.Now().Add(guard); countFiles() > before; {
		if time.Now().After(deadline) {
			fmt.Println("descriptors:", countFiles(), "before:", before)
			return 1
		}
		<-time.After(2 * time.Millisecond)
	}
	fmt.Println(len(opened) > 0, failed > 0, len(opened)+failed)
	return 0
}

func openMany(n int, socketDir, mark string) (opened []*host.Plugin, failed int) {
	exe, err := os.Executable()
	if err != nil {
		return nil, 0
	}
	for range n {
		p, err := host.Open(context.Background(), host.Config{
			Handshake:    testHandshake(),
			Path:         exe,
			Env:          []string{faultEnv + "=plain", markEnv + "=" + mark, "GORACE=atexit_sleep_ms=0"},
			SocketDir:    socketDir,
			StartTimeout: roomy,
		})
		if err != nil {
			failed++
			_, _ = fmt.Fprintln(os.Stderr, err)
			continue
		}
		opened = append(opened, p)
	}
	return opened, failed
}

func countFiles() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1
	}
	return len(entries)
}
