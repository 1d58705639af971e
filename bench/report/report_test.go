package report

import (
	"strings"
	"testing"

	"github.com/plugingen/plugingen/bench/measure"
	"github.com/plugingen/plugingen/bench/run"
)

const (
	ours  = "plugingen"
	peer  = "go-plugin"
	floor = "socket"
	call  = "call"
)

func records(work string, q measure.Quantity, values map[string][]float64) []run.Record {
	var all []run.Record
	for name, samples := range values {
		for round, v := range samples {
			all = append(all, run.Record{Contestant: name, Work: work, Round: round, Sample: measure.Sample{q: v}})
		}
	}
	return all
}

func table(t *testing.T, all []run.Record) string {
	t.Helper()
	var b strings.Builder
	s := Section{Works: []string{call}, Contestants: []string{ours, peer, floor}, Reference: peer, Records: all}
	if err := s.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTable(t *testing.T) {
	tests := []struct {
		name   string
		q      measure.Quantity
		values map[string][]float64
		want   string
	}{
		{
			"a clear ratio, though the machine drifts", measure.P50,
			map[string][]float64{ours: {10, 100, 20, 10}, peer: {20, 200, 40, 20}, floor: {5, 50, 10, 5}},
			"| call | p50 µs | 15.0 · **0.50** (0.50–0.50) | 30.0 | 7.50 · **0.25** (0.25–0.25) |",
		},
		{
			"noise is named", measure.P50,
			map[string][]float64{ours: {10, 90, 10, 90}, peer: {50, 50, 50, 50}},
			"| call | p50 µs | 50.0 · noise | 50.0 | – |",
		},
		{
			"noise leaves a bound", measure.P50,
			map[string][]float64{ours: {10, 20, 10, 20}, peer: {50, 50, 50, 50}},
			"| call | p50 µs | 15.0 · < 0.40 | 50.0 | – |",
		},
		{
			"a rate is better when larger", measure.Rate,
			map[string][]float64{ours: {500, 500, 500, 500}, peer: {250, 250, 250, 250}},
			"| call | calls/s ↑ | 500 · **2.00** (2.00–2.00) | 250 | – |",
		},
		{
			"a count needs no rounds", measure.HostAllocs,
			map[string][]float64{ours: {9}, peer: {90}, floor: {0.001}},
			"| call | host allocs/call | 9.00 · **0.10** | 90.0 | 0.00 · **0.00** |",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := table(t, records(call, tt.q, tt.values)); !strings.Contains(got, tt.want+"\n") {
				t.Errorf("no line\n%s\nin\n%s", tt.want, got)
			}
		})
	}
}

func TestNoiseIsTold(t *testing.T) {
	all := records(call, measure.P50, map[string][]float64{ours: {10, 90, 10, 90}, peer: {50, 50, 50, 50}})
	quiet := table(t, all)
	for i := range all {
		all[i].Others = 1.5
	}
	loud := table(t, all)
	if want := "This machine was quiet."; !strings.Contains(quiet, want) || strings.Contains(loud, want) {
		t.Errorf("quiet:\n%s\nloud:\n%s", quiet, loud)
	}
	for _, want := range []string{"Others kept 1.50 cores busy", "100 % of the samples were disturbed", "1 of 1 ratios are withheld"} {
		if !strings.Contains(loud, want) {
			t.Errorf("no %q in\n%s", want, loud)
		}
	}
}

func TestFailuresAreTold(t *testing.T) {
	all := []run.Record{{Contestant: ours, Work: call, Failure: "it broke"}}
	if got := table(t, all); !strings.Contains(got, "FAILED: plugingen, call: it broke") {
		t.Errorf("the failure is not in\n%s", got)
	}
}

func TestATableForEachWork(t *testing.T) {
	all := records(call, measure.Throughput, map[string][]float64{ours: {20, 20, 20}, floor: {40, 40, 40}, "other": {10, 10, 10}})
	all = append(all, run.Record{Contestant: peer, Work: call, Refused: "larger than 4 MiB"})
	var b strings.Builder
	s := Section{
		Works: []string{call, "not done"}, Contestants: []string{ours, peer, "other", "absent", floor},
		Reference: peer, Fallback: "other", Floor: floor, Ours: ours, ByWork: true, Records: all,
	}
	if err := s.Write(&b); err != nil {
		t.Fatal(err)
	}
	want := "### call\n\n|  | MB/s ↑ |\n| --- | ---: |\n| plugingen | 20.0 · **2.00** (2.00–2.00) |\n| go-plugin | – |\n| other | 10.0 |\n" +
		"| socket | 40.0 · **4.00** (4.00–4.00) |\n| plugingen / socket | **0.50** (0.50–0.50) |\n\n" +
		"Ratios are to other, for go-plugin refuses this.\n\ngo-plugin refuses: larger than 4 MiB\n"
	if got := b.String(); !strings.HasSuffix(got, want) {
		t.Errorf("got\n%s\nwant at its end\n%s", got, want)
	}
}
