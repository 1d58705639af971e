// Package run takes the samples: all contestants and all work in one run, in random order in each round.
package run

import (
	"fmt"
	"time"

	"github.com/plugingen/plugingen/bench/load"
	"github.com/plugingen/plugingen/bench/measure"
)

// Work is a job with the name that the table gives it, and how often it is done.
type Work struct {
	Name  string
	Job   measure.Job
	Every int // rounds; 1 is each. What takes long is done less often
}

// Plan is a run.
type Plan struct {
	Rounds int
	Works  []Work
}

// Names lists the work in the order of the table.
func (p Plan) Names() []string {
	names := []string{SizeWork}
	for _, w := range p.Works {
		names = append(names, w.Name)
	}
	return names
}

// Full is what RESULTS.md is made from; it takes about ten minutes.
func Full() Plan {
	works := calls(120*time.Millisecond, []int{1, 8, 64})
	works = append(works, bulk(120*time.Millisecond)...)
	works = append(works, streams(120*time.Millisecond)...)
	works = append(works, relays(40_000)...)
	works = append(works, start(), fleet(10, 1), fleet(100, 3))
	return Plan{Rounds: 11, Works: works}
}

// Quick takes about a minute, and says less.
func Quick() Plan {
	const d = 50 * time.Millisecond
	works := calls(d, []int{1, 64})
	works = append(works, bulk(d)...)
	works = append(works, streams(d)...)
	works = append(works, relays(10_000)...)
	works = append(works, start(), fleet(10, 1))
	return Plan{Rounds: 3, Works: works}
}

func calls(d time.Duration, callers []int) []Work {
	var works []Work
	for _, n := range callers {
		name := fmt.Sprintf("small call, callers: %d", n)
		works = append(works,
			Work{name, measure.Job{Kind: measure.Echo, Callers: n, Time: d}, 1},
			Work{name + ", a deadline each", measure.Job{Kind: measure.Echo, Callers: n, Deadline: true, Time: d}, 1})
	}
	return works
}

func bulk(d time.Duration) []Work {
	sizes := []struct {
		name string
		size int
	}{{"64 KiB", 64 << 10}, {"1 MiB", 1 << 20}}
	var works []Work
	for _, s := range sizes {
		works = append(works,
			Work{s.name + " up", measure.Job{Kind: measure.Put, Size: s.size, Time: d}, 1},
			Work{s.name + " down", measure.Job{Kind: measure.Get, Size: s.size, Time: d}, 1})
	}
	return works
}

func streams(d time.Duration) []Work {
	return []Work{
		{"stream, one there and back", measure.Job{Kind: measure.Chat, Time: d}, 1},
		{"stream, 256 under way", measure.Job{Kind: measure.Pipe, Time: d}, 1},
	}
}

func relays(lines int) []Work {
	var works []Work
	for _, format := range []string{load.Text, load.Slog, load.HCLog} {
		works = append(works,
			Work{"stderr, " + format + ", emitted", measure.Job{Kind: measure.Relay, Format: format, Lines: lines}, 1},
			Work{"stderr, " + format + ", filtered out", measure.Job{Kind: measure.Relay, Format: format, Lines: lines, Filtered: true}, 1})
	}
	return works
}

func start() Work { return Work{"one start", measure.Job{Kind: measure.Start}, 1} }

// IsAboutTLS says whether a work is one that automatic TLS makes dearer than others: it makes keys, and shakes hands.
func IsAboutTLS(work string) bool { return work == start().Name }

func fleet(n, every int) Work {
	return Work{fmt.Sprintf("%d started at once", n), measure.Job{Kind: measure.Fleet, Plugins: n}, every}
}
