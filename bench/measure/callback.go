package measure

import (
	"context"
	"errors"
	"path"
	"path/filepath"

	"github.com/plugingen/plugingen/bench/contestant"
)

// callBack measures calls in which the plugin calls a function of the host.
func (b *Bench) callBack(ctx context.Context, job Job) (Sample, error) {
	session, err := b.openCaller(ctx)
	if err != nil {
		return nil, err
	}
	caller, can := session.(contestant.CallingBack)
	if !can {
		return nil, errors.ErrUnsupported
	}
	back := func(_ context.Context, n int64) (int64, error) { return n, nil }
	job.Callers = 1
	s, err := repeat(ctx, job, session, func(ctx context.Context) error {
		return caller.CallBack(ctx, int64(job.Count), back)
	})
	if err != nil {
		return nil, err
	}
	return Sample{
		P50: s[P50], P99: s[P99], CallsBack: s[Rate] * float64(job.Count),
		HostAllocs: s[HostAllocs], HostBytes: s[HostBytes], HostCPU: s[HostCPU], PluginCPU: s[PluginCPU],
	}, nil
}

// openCaller opens a plugin of the program for callbacks, where that is another.
func (b *Bench) openCaller(ctx context.Context) (s contestant.Session, err error) {
	kept := &b.session
	o := contestant.Options{Path: b.Path}
	if c, has := b.Contestant.(contestant.CallbackProgram); has {
		kept = &b.caller
		o.Path = filepath.Join(filepath.Dir(b.Path), path.Base(c.CallbackProgram()))
	}
	if *kept == nil {
		if s, err = b.Contestant.Open(ctx, o); err != nil {
			return nil, err
		}
		*kept = s
	}
	return *kept, nil
}
