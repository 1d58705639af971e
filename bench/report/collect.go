// Package report makes one Markdown table of a run's records, and says how far to trust it.
package report

import (
	"slices"

	"github.com/plugingen/plugingen/bench/measure"
	"github.com/plugingen/plugingen/bench/run"
	"github.com/plugingen/plugingen/bench/stats"
)

// key names a row's values of one contestant.
type key struct {
	contestant, work string
	quantity         measure.Quantity
}

// results are a run's samples by row and contestant, then by round.
type results struct {
	Section
	values   map[key]map[int]float64
	others   []float64
	failures []string
}

func collect(s Section) *results {
	r := &results{Section: s, values: map[key]map[int]float64{}}
	for _, record := range s.Records {
		if record.Failure != "" {
			r.failures = append(r.failures, record.Contestant+", "+record.Work+": "+record.Failure)
			continue
		}
		if record.Work != run.SizeWork {
			r.others = append(r.others, record.Others)
		}
		for quantity, value := range record.Sample {
			k := key{record.Contestant, record.Work, quantity}
			if r.values[k] == nil {
				r.values[k] = map[int]float64{}
			}
			r.values[k][record.Round] = value
		}
	}
	return r
}

// median is over all rounds; not ok when there is no value.
func (r *results) median(k key) (float64, bool) {
	var all []float64
	for _, v := range r.values[k] {
		all = append(all, v)
	}
	return stats.Median(all), len(all) > 0
}

// ratio compares one row of two contestants, round by round.
func (r *results) ratio(k key, reference string) stats.Summary {
	by := k
	by.contestant = reference
	return stats.Summarise(stats.Ratios(r.values[k], r.values[by]))
}

// rows lists the quantities that anybody has of a work, in the order of the table.
func (r *results) rows(work string) []measure.Quantity {
	return slices.DeleteFunc(measure.Quantities(), func(q measure.Quantity) bool {
		return !slices.ContainsFunc(r.Contestants, func(c string) bool { return r.values[key{c, work, q}] != nil })
	})
}
