package main

import (
	"testing"

	"github.com/plugingen/plugingen/bench/contestant"
	"github.com/plugingen/plugingen/bench/measure"
	"github.com/plugingen/plugingen/bench/run"
	"github.com/plugingen/plugingen/bench/samples"
)

func set(q measure.Quantity, ours, peer []float64) *samples.Set {
	var records []run.Record
	for name, values := range map[string][]float64{"ours": ours, "peer": peer} {
		for round, v := range values {
			records = append(records, run.Record{Contestant: name, Work: "call", Round: round, Sample: measure.Sample{q: v}})
		}
	}
	return samples.Collect(records)
}

func TestCheck(t *testing.T) {
	allocs := bound{Contestant: "ours", Work: "call", Quantity: measure.HostAllocs, Max: 10}
	faster := bound{Contestant: "ours", Work: "call", Quantity: measure.P50, Against: "peer", Max: 0.5}
	more := bound{Contestant: "ours", Work: "call", Quantity: measure.Rate, Against: "peer", Min: 2}
	tests := []struct {
		name       string
		bound      bound
		ours, peer []float64
		want       bool
	}{
		{"count within", allocs, []float64{10, 10, 10}, nil, true},
		{"count above", allocs, []float64{11, 11, 11}, nil, false},
		{"one round above", allocs, []float64{10, 99, 10}, nil, true},
		{"ratio within", faster, []float64{4, 4, 4, 4}, []float64{10, 10, 10, 10}, true},
		{"ratio above", faster, []float64{8, 8, 8, 8}, []float64{10, 10, 10, 10}, false},
		{"a slow machine", faster, []float64{400, 4, 40, 4}, []float64{1000, 10, 100, 10}, true},
		{"noise is no breach", faster, []float64{4, 8, 4, 8}, []float64{10, 10, 10, 10}, true},
		{"rate reached", more, []float64{25, 25, 25}, []float64{10, 10, 10}, true},
		{"rate missed", more, []float64{15, 15, 15}, []float64{10, 10, 10}, false},
		{"not measured", faster, nil, []float64{10}, false},
		{"nobody to compare with", faster, []float64{1}, nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if line, got := tt.bound.check(set(tt.bound.Quantity, tt.ours, tt.peer)); got != tt.want {
				t.Errorf("kept = %v, want %v: %s", got, tt.want, line)
			}
		})
	}
}

// TestBounds: what is promised is measured, and about somebody.
func TestBounds(t *testing.T) {
	bounds, err := loadBounds()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"": true, run.SizeWork: true, run.InitWork: true}
	for _, w := range plan().Works {
		known[w.Name] = true
	}
	for _, c := range contestant.All() {
		known[c.Name()] = true
	}
	for _, b := range bounds {
		if !known[b.Work] || !known[b.Contestant] || !known[b.Against] {
			t.Errorf("%s: no such work or contestant", b)
		}
	}
}

// TestAgain: only what was broken is sampled once more.
func TestAgain(t *testing.T) {
	p := again([]bound{{Work: "start"}, {Work: run.SizeWork}})
	if len(p.Works) != 1 || p.Works[0].Name != "start" || p.Rounds <= plan().Rounds {
		t.Errorf("%+v", p)
	}
}

func TestBoundsMustMakeSense(t *testing.T) {
	for name, b := range map[string]bound{
		"seconds":     {Quantity: measure.P50, Max: 100},
		"no limit":    {Quantity: measure.HostAllocs},
		"two limits":  {Quantity: measure.HostAllocs, Max: 2, Min: 1},
		"only failed": {Quantity: measure.Rate, Min: 1},
	} {
		if b.validate() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
