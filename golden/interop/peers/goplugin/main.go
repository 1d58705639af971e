// Command goplugin is a plugin and a host made with hashicorp/go-plugin, of whichever version it is built with: each
// .mod file beside it names one.
//
//	goplugin plugin
//	goplugin provider --versions N,N PLUGIN [ARGUMENT...]
//	goplugin host [--tcp] [--tls] [--broker] [--mux] [--versions N,N] [--job JOB] PLUGIN [ARGUMENT...]
//
// The hosts, of which provider is one for providers, print what they have seen as one JSON object.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/plugingen/plugingen/golden/interop/peers/goplugin/goplug"
	"github.com/plugingen/plugingen/golden/interop/peers/goplugin/work"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "plugin" {
		goplug.Serve()
		return
	}
	if err := host(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func host(args []string) error {
	if len(args) == 0 || args[0] != "host" && args[0] != "provider" {
		return fmt.Errorf("use: goplugin plugin, or goplugin host [flags] PLUGIN")
	}
	request, err := parse(args[1:])
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), work.Patience)
	defer cancel()
	var report any
	if args[0] == "provider" {
		report, err = goplug.RunProvider(ctx, request)
	} else {
		report, err = goplug.Run(ctx, request)
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(report)
}

func parse(args []string) (work.Request, error) {
	r := work.Request{Env: os.Environ()}
	flags := flag.NewFlagSet("host", flag.ContinueOnError)
	flags.BoolVar(&r.TCP, "tcp", false, "ask the plugin to listen on tcp")
	flags.BoolVar(&r.TLS, "tls", false, "automatic mutual TLS")
	flags.BoolVar(&r.Broker, "broker", false, "call each other back")
	flags.BoolVar(&r.Mux, "mux", false, "the same within one connection")
	flags.Func("versions", "protocol versions to offer", func(list string) error {
		for item := range strings.SplitSeq(list, ",") {
			v, err := strconv.Atoi(item)
			if err != nil {
				return err
			}
			r.Versions = append(r.Versions, v)
		}
		return nil
	})
	flags.StringVar((*string)(&r.Job), "job", string(work.Everything), "what to do")
	err := flags.Parse(args)
	r.Command = flags.Args()
	if err == nil && len(r.Command) == 0 {
		err = fmt.Errorf("no plugin is named")
	}
	return r, err
}
