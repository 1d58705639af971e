// Package samples orders a run's records by what can be compared.
package samples

import (
	"maps"
	"slices"

	"github.com/plugingen/plugingen/bench/measure"
	"github.com/plugingen/plugingen/bench/run"
	"github.com/plugingen/plugingen/bench/stats"
)

// Key names what a contestant got for a quantity of a piece of work.
type Key struct {
	Contestant, Work string
	Quantity         measure.Quantity
}

// Set is a run's samples. Collect makes one; after that it may be used concurrently.
type Set struct {
	values   map[Key]map[int]float64 // by round
	Others   []float64               // of each sample: cores that others kept busy meanwhile
	Failures []string                // one line each
	refused  map[Key]string          // without quantity: why there is nothing
}

// Collect orders records.
func Collect(records []run.Record) *Set {
	s := &Set{values: map[Key]map[int]float64{}, refused: map[Key]string{}}
	for _, r := range records {
		s.add(r)
	}
	return s
}

func (s *Set) add(r run.Record) {
	if r.Failure != "" {
		s.Failures = append(s.Failures, r.Contestant+", "+r.Work+": "+r.Failure)
		return
	}
	if r.Refused != "" {
		s.refused[Key{Contestant: r.Contestant, Work: r.Work}] = r.Refused
		return
	}
	if r.Work != run.SizeWork && r.Work != run.InitWork {
		s.Others = append(s.Others, r.Others)
	}
	for quantity, value := range r.Sample {
		k := Key{r.Contestant, r.Work, quantity}
		if s.values[k] == nil {
			s.values[k] = map[int]float64{}
		}
		s.values[k][r.Round] = value
	}
}

// Has says whether there is any value.
func (s *Set) Has(k Key) bool { return len(s.values[k]) > 0 }

// Median is over all rounds; NaN without a value.
func (s *Set) Median(k Key) float64 {
	return stats.Median(slices.Collect(maps.Values(s.values[k])))
}

// Ratio compares k's contestant with the reference, round by round.
func (s *Set) Ratio(k Key, reference string) stats.Summary {
	by := k
	by.Contestant = reference
	return stats.Summarise(stats.Ratios(s.values[k], s.values[by]))
}

// Keys yields all that there are values of, in no order.
func (s *Set) Keys() []Key { return slices.Collect(maps.Keys(s.values)) }

// Refused says what limit kept a contestant from a piece of work; empty: none did.
func (s *Set) Refused(contestant, work string) string {
	return s.refused[Key{Contestant: contestant, Work: work}]
}
