package report

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/plugingen/plugingen/bench/stats"
)

// quietCores is how busy others may keep the machine before a sample counts as disturbed.
const quietCores = 0.15

// writeNoise says what everything below it is worth.
func (r *results) writeNoise(b *strings.Builder) {
	others := stats.Summarise(r.Others)
	spread, withheld, total := r.spread()
	fmt.Fprintf(b, "%s, %s/%s, %d cores, %d samples.\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), len(r.Others))
	fmt.Fprintf(b, "**Noise.** Others kept %.2f cores busy while a sample was taken (median; quartiles %.2f and %.2f); %.0f %% of the samples were disturbed "+
		"(more than %.2f of a core). The upper quartile of the same-round ratios of a cell is %.2f times the lower one (median over all cells). "+
		"%d of %d ratios are withheld because of it. %s\n\n",
		others.Median, others.Low, others.High, 100*r.disturbed(), quietCores, spread, withheld, total, r.advice())
	fmt.Fprintf(b, "A cell is the median over the rounds, then **its ratio to %s's in the same round** (quartiles): below 1 is better, and above 1 where the "+
		"quantity has ↑. `< x` and `> x`: the noise leaves a bound alone; `noise`: it leaves nothing. Quantities that are counted have no quartiles. "+
		"Times are this machine's of that moment; compare ratios.\n\n", r.Reference)
}

func (r *results) advice() string {
	if r.disturbed() > 0.25 {
		return "**This machine was not quiet: take nothing below but what is counted, and ratios far from 1, for a fact.**"
	}
	return "This machine was quiet."
}

// disturbed is the share of samples during which others worked.
func (r *results) disturbed() float64 {
	n := 0
	for _, o := range r.Others {
		if o > quietCores {
			n++
		}
	}
	return float64(n) / max(1, float64(len(r.Others)))
}

// spread is the median of the quartiles' distances, and how many ratios are not told.
func (r *results) spread() (spread float64, withheld, total int) {
	var spreads []float64
	for _, k := range r.Keys() {
		by := r.reference(k.Work)
		if k.Contestant == by || k.Quantity.IsCounted() {
			continue
		}
		s := r.Ratio(k, by)
		if s.N == 0 {
			continue
		}
		total++
		spreads = append(spreads, s.High/s.Low)
		if s.Judge() == stats.Noise {
			withheld++
		}
	}
	return stats.Median(spreads), withheld, total
}
