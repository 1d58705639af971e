// Package run takes the samples: all contestants and all work in one run, in random order in each round.
package run

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plugingen/plugingen/bench/contestant"
	"github.com/plugingen/plugingen/bench/load"
	"github.com/plugingen/plugingen/bench/measure"
)

// Work is a job with the name that the table gives it, and how often it is done.
type Work struct {
	Name  string
	Job   measure.Job
	Every int      // rounds; 0 and 1 are each. What takes long is done less often
	Only  []string // contestants; empty means all
}

// Plan is a run.
type Plan struct {
	Rounds int
	Works  []Work
}

// Names lists the work in the order of the table.
func (p Plan) Names() []string {
	names := []string{SizeWork, InitWork}
	for _, w := range p.Works {
		names = append(names, w.Name)
	}
	return names
}

// Full is what RESULTS.md is made from; with the generators it takes about ten minutes.
func Full() Plan {
	const d = 80 * time.Millisecond
	works := calls(d, []int{1, 8, 64})
	works = append(works, handlers(d)...)
	works = append(works, busyCores(250*time.Millisecond)...)
	works = append(works, bulk(d)...)
	works = append(works, huge(d)...)
	works = append(works, streams(d)...)
	works = append(works, callbacks(d)...)
	works = append(works, relays(40_000)...)
	works = append(works, start(), crash(), fleet(1, 1), fleet(10, 1), fleet(100, 3), fleet(500, 4, mostPlugins()...))
	return Plan{Rounds: 9, Works: works}
}

// Quick takes about a minute, and says less.
func Quick() Plan {
	const d = 50 * time.Millisecond
	works := calls(d, []int{1, 64})
	works = append(works, bulk(d)...)
	works = append(works, streams(d)...)
	works = append(works, callbacks(d)...)
	works = append(works, relays(10_000)...)
	works = append(works, start(), crash(), fleet(10, 1))
	return Plan{Rounds: 3, Works: works}
}

func calls(d time.Duration, callers []int) []Work {
	var works []Work
	for _, n := range callers {
		name := fmt.Sprintf("small call, callers: %d", n)
		works = append(works,
			Work{Name: name, Job: measure.Job{Kind: measure.Echo, Callers: n, Time: d}},
			Work{Name: name + ", a deadline each", Job: measure.Job{Kind: measure.Echo, Callers: n, Deadline: true, Time: d}})
	}
	return works
}

// handlers take their time. That of nothing at all is the small call's.
func handlers(d time.Duration) []Work {
	var works []Work
	for _, h := range []struct {
		name   string
		micros int64
	}{{"computes for 50 µs", 50}, {"waits for 2 ms", 2000}} {
		for _, n := range []int{1, 8} {
			works = append(works, Work{
				Name: fmt.Sprintf("the handler %s, callers: %d", h.name, n), Every: 2,
				Job: measure.Job{Kind: measure.Hold, Callers: n, Micros: h.micros, Time: d},
			})
		}
	}
	return works
}

func busyCores(d time.Duration) []Work {
	name := "all cores busy, small call, callers: "
	return []Work{
		{Name: name + "1", Every: 2, Job: measure.Job{Kind: measure.Echo, Callers: 1, Busy: true, Time: d}},
		{Name: name + "8", Every: 2, Job: measure.Job{Kind: measure.Echo, Callers: 8, Busy: true, Time: d}},
	}
}

func bulk(d time.Duration) []Work {
	return slices.Concat(payloads("64 KiB", 1, measure.Job{Size: 64 << 10, Time: d}), payloads("1 MiB", 1, measure.Job{Size: 1 << 20, Time: d}))
}

// huge messages are few in any time: without a least number of them a sample would be what one's first memory costs.
func huge(d time.Duration) []Work {
	return payloads("64 MiB", 3, measure.Job{Size: 64 << 20, Time: 3 * d, Least: 4})
}

func payloads(name string, every int, job measure.Job) []Work {
	up, down := job, job
	up.Kind, down.Kind = measure.Put, measure.Get
	return []Work{{Name: name + " up", Every: every, Job: up}, {Name: name + " down", Every: every, Job: down}}
}

// messages is how many a stream of one direction carries: opening one is not the subject.
const messages = 256

func streams(d time.Duration) []Work {
	return []Work{
		{Name: "stream, one there and back", Job: measure.Job{Kind: measure.Chat, Time: d}},
		{Name: "stream both ways, 256 under way", Job: measure.Job{Kind: measure.Pipe, Time: d}},
		{Name: "client stream of 256", Job: measure.Job{Kind: measure.Upload, Count: messages, Time: d}},
		{Name: "server stream of 256", Job: measure.Job{Kind: measure.Download, Count: messages, Time: d}},
	}
}

func callbacks(d time.Duration) []Work {
	return []Work{
		{Name: "a call with one callback", Job: measure.Job{Kind: measure.CallBack, Count: 1, Time: d}},
		{Name: "a call with 100 callbacks", Job: measure.Job{Kind: measure.CallBack, Count: 100, Time: d}},
	}
}

func relays(lines int) []Work {
	var works []Work
	for _, format := range []string{load.Text, load.Slog, load.HCLog} {
		works = append(works,
			Work{Name: "stderr, " + format + ", emitted", Job: measure.Job{Kind: measure.Relay, Format: format, Lines: lines}},
			Work{Name: "stderr, " + format + ", filtered out", Job: measure.Job{Kind: measure.Relay, Format: format, Lines: lines, Filtered: true}})
	}
	return works
}

func start() Work { return Work{Name: "one start", Job: measure.Job{Kind: measure.Start}} }

func crash() Work { return Work{Name: "killed during a call", Job: measure.Job{Kind: measure.Crash}} }

func fleet(n, every int, only ...string) Work {
	return Work{Name: fmt.Sprintf("%d started at once", n), Job: measure.Job{Kind: measure.Fleet, Plugins: n}, Every: every, Only: only}
}

// mostPlugins are those that are measured where it takes longest.
func mostPlugins() []string {
	return []string{contestant.OursName, contestant.OursTLSName, contestant.ReferenceName, contestant.TheirTLSName}
}

// due says whether w is c's to do in a round.
func (w Work) due(round int, c contestant.Contestant) bool {
	return round%max(1, w.Every) == 0 && (len(w.Only) == 0 || slices.Contains(w.Only, c.Name()))
}

// IsAboutTLS says whether a work is one for the table of those with automatic TLS: starts, for it makes keys and shakes hands, and calls.
func IsAboutTLS(work string) bool {
	return work == start().Name || strings.HasSuffix(work, "started at once") || strings.HasPrefix(work, "small call")
}
