// Package targets compares a run with what the project wants to reach.
package targets

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/plugingen/plugingen/bench/measure"
	"github.com/plugingen/plugingen/bench/samples"
	"github.com/plugingen/plugingen/bench/stats"
)

//go:embed targets.json
var file []byte

// Target is what a contestant is to reach.
type Target struct {
	Name       string // for people
	Contestant string
	Work       string
	Quantity   measure.Quantity
	Against    string  // whom the quantity is divided by, in the same round; empty: nobody
	Instead    string  // whom else, when Against refuses the work; empty: nobody
	Max, Min   float64 // inclusive; one of them is zero: there is none
}

// Load returns all targets.
func Load() ([]Target, error) {
	var all []Target
	if err := json.Unmarshal(file, &all); err != nil {
		return nil, fmt.Errorf("targets.json: %w", err)
	}
	for _, t := range all {
		if (t.Max > 0) == (t.Min > 0) {
			return nil, fmt.Errorf("targets.json: %s: either Max or Min is needed", t.Name)
		}
	}
	return all, nil
}

// Table is a table in Markdown of those targets of which there is anything to say.
func Table(all []Target, set *samples.Set) string {
	var rows strings.Builder
	for _, t := range all {
		if row := t.row(set); row != "" {
			rows.WriteString(row)
		}
	}
	if rows.Len() == 0 {
		return ""
	}
	return "## Targets\n\nMedians of same-round ratios where a peer is named, else medians; details and the noise are below.\n\n" +
		"| target | compared | wanted | measured | met? |\n| --- | --- | ---: | ---: | --- |\n" + rows.String()
}

func (t Target) row(set *samples.Set) string {
	k := samples.Key{Contestant: t.Contestant, Work: t.Work, Quantity: t.Quantity}
	if !set.Has(k) {
		return ""
	}
	compared := t.Contestant
	var measured string
	var low, high float64
	if against := t.against(set); against != "" {
		compared += " / " + against
		measured, low, high = judged(set.Ratio(k, against), t.Quantity)
	} else {
		low = set.Median(k)
		measured, high = number(low), low
	}
	return fmt.Sprintf("| %s: %s | %s | %s | %s | %s |\n", t.Name, t.Quantity, compared, t.wanted(), measured, t.verdict(low, high))
}

func (t Target) against(set *samples.Set) string {
	if t.Instead != "" && set.Refused(t.Against, t.Work) != "" {
		return t.Instead
	}
	return t.Against
}

func (t Target) wanted() string {
	if t.Min > 0 {
		return fmt.Sprintf("≥ %g", t.Min)
	}
	return fmt.Sprintf("≤ %g", t.Max)
}

// number has three digits that count, or more before the point.
func number(v float64) string {
	if v >= 100 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

// unbounded is more than any ratio.
const unbounded = 1e300

// judged is a ratio and the bounds between which it lies for certain; both are zero when nothing is.
func judged(s stats.Summary, q measure.Quantity) (text string, low, high float64) {
	if s.N > 0 && q.IsCounted() {
		return fmt.Sprintf("%.2f", s.Median), s.Median, s.Median
	}
	switch s.Judge() {
	case stats.Stated:
		return fmt.Sprintf("%.2f (%.2f–%.2f)", s.Median, s.Low, s.High), s.Median, s.Median
	case stats.Below:
		return fmt.Sprintf("< %.2f", s.High), 0, s.High
	case stats.Above:
		return fmt.Sprintf("> %.2f", s.Low), s.Low, unbounded
	default:
		return "noise", 0, unbounded
	}
}

// verdict is for a value that lies between low and high.
func (t Target) verdict(low, high float64) string {
	switch {
	case t.Min > 0 && low >= t.Min, t.Max > 0 && high <= t.Max:
		return "yes"
	case t.Min > 0 && high < t.Min, t.Max > 0 && low > t.Max:
		return "**no**"
	default:
		return "not clear"
	}
}
