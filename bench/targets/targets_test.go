package targets

import (
	"strings"
	"testing"

	"github.com/plugingen/plugingen/bench/contestant"
	"github.com/plugingen/plugingen/bench/generators"
	"github.com/plugingen/plugingen/bench/measure"
	"github.com/plugingen/plugingen/bench/run"
	"github.com/plugingen/plugingen/bench/samples"
)

func set(refused string, ours, peer []float64) *samples.Set {
	var records []run.Record
	for name, values := range map[string][]float64{"ours": ours, "peer": peer} {
		for round, v := range values {
			records = append(records, run.Record{Contestant: name, Work: "call", Round: round, Sample: measure.Sample{measure.P50: v}})
		}
	}
	if refused != "" {
		records = append(records, run.Record{Contestant: refused, Work: "call", Refused: "too large"})
	}
	return samples.Collect(records)
}

func TestTable(t *testing.T) {
	ratio := Target{Name: "call", Contestant: "ours", Work: "call", Quantity: measure.P50, Against: "peer", Max: 0.5}
	instead := Target{Name: "call", Contestant: "ours", Work: "call", Quantity: measure.P50, Against: "small", Instead: "peer", Max: 0.5}
	alone := Target{Name: "call", Contestant: "ours", Work: "call", Quantity: measure.P50, Min: 5}
	ten := []float64{10, 10, 10, 10}
	tests := []struct {
		name   string
		target Target
		set    *samples.Set
		want   string
	}{
		{"met", ratio, set("", []float64{4, 4, 4, 4}, ten), "| call: p50 µs | ours / peer | ≤ 0.5 | 0.40 (0.40–0.40) | yes |"},
		{"missed", ratio, set("", []float64{8, 8, 8, 8}, ten), "| 0.80 (0.80–0.80) | **no** |"},
		{"noise", ratio, set("", []float64{2, 20, 2, 20}, ten), "| noise | not clear |"},
		{"a bound is enough", ratio, set("", []float64{1, 4, 1, 4}, ten), "| < 0.40 | yes |"},
		{"a bound is not enough", ratio, set("", []float64{1, 7, 1, 7}, ten), "| < 0.70 | not clear |"},
		{"the peer refuses", instead, set("small", []float64{4, 4, 4, 4}, ten), "| ours / peer | ≤ 0.5 | 0.40 (0.40–0.40) | yes |"},
		{"without a peer", alone, set("", []float64{4, 4, 4, 4}, nil), "| ours | ≥ 5 | 4 | **no** |"},
		{"not measured", ratio, set("", nil, ten), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Table([]Target{tt.target}, tt.set)
			if !strings.Contains(got, tt.want) || (tt.want == "") != (got == "") {
				t.Errorf("no %q in\n%s", tt.want, got)
			}
		})
	}
}

// TestTargetsAreMeasured: a target about work or somebody that is not there would silently be missing.
func TestTargetsAreMeasured(t *testing.T) {
	all, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"": true}
	for _, name := range append(run.Full().Names(), generators.Works()...) {
		known[name] = true
	}
	for _, c := range contestant.All() {
		known[c.Name()] = true
	}
	for _, q := range measure.Quantities() {
		known[string(q)] = true
	}
	for _, target := range all {
		for _, name := range []string{target.Contestant, target.Against, target.Instead, target.Work, string(target.Quantity)} {
			if !known[name] {
				t.Errorf("%s: there is no %q", target.Name, name)
			}
		}
	}
}
