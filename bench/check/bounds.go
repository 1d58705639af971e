package main

import (
	_ "embed"
	"encoding/json"
	"fmt"

	"github.com/plugingen/plugingen/bench/measure"
	"github.com/plugingen/plugingen/bench/samples"
	"github.com/plugingen/plugingen/bench/stats"
)

// boundsFile holds what is promised. Who makes something cheaper lowers a bound; who raises one says why in the commit.
//
//go:embed bounds.json
var boundsFile []byte

// bound is a promise about a contestant: never about seconds, which are the machine's.
type bound struct {
	Contestant string
	Work       string
	Quantity   measure.Quantity
	Against    string  // whom the quantity is divided by; empty for what is counted
	Max, Min   float64 // inclusive; zero: there is none
}

func loadBounds() ([]bound, error) {
	var bounds []bound
	if err := json.Unmarshal(boundsFile, &bounds); err != nil {
		return nil, fmt.Errorf("bounds.json: %w", err)
	}
	for _, b := range bounds {
		if err := b.validate(); err != nil {
			return nil, fmt.Errorf("bounds.json: %s: %w", b, err)
		}
	}
	return bounds, nil
}

func (b bound) validate() error {
	switch {
	case b.Against == "" && !b.Quantity.IsCounted():
		return fmt.Errorf("what is timed needs somebody to be compared with")
	case (b.Max > 0) == (b.Min > 0):
		return fmt.Errorf("either Max or Min is needed")
	default:
		return nil
	}
}

// String names what is promised.
func (b bound) String() string {
	name := fmt.Sprintf("%s, %s, %s", b.Contestant, b.Work, b.Quantity)
	if b.Against != "" {
		name += " / " + b.Against
	}
	return name
}

// check returns a line for people, and whether the promise is kept. The quartile that speaks for the contestant is what counts:
// only what noise does not explain is a breach.
func (b bound) check(set *samples.Set) (line string, kept bool) {
	s, ok := b.measured(set)
	if !ok {
		return fmt.Sprintf("%s: it was not measured", b), false
	}
	limit, best, kept := fmt.Sprintf("at most %.2f", b.Max), s.Low, s.Low <= b.Max
	if b.Min > 0 {
		limit, best, kept = fmt.Sprintf("at least %.2f", b.Min), s.High, s.High >= b.Min
	}
	return fmt.Sprintf("%s: %.2f (at best %.2f); %s is promised", b, s.Median, best, limit), kept
}

func (b bound) measured(set *samples.Set) (stats.Summary, bool) {
	k := samples.Key{Contestant: b.Contestant, Work: b.Work, Quantity: b.Quantity}
	if b.Against != "" {
		s := set.Ratio(k, b.Against)
		return s, s.N > 0
	}
	m := set.Median(k)
	return stats.Summary{Low: m, Median: m, High: m, N: 1}, set.Has(k)
}
