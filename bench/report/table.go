// Package report makes a Markdown table of a run's records, and says how far to trust it.
package report

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/plugingen/plugingen/bench/measure"
	"github.com/plugingen/plugingen/bench/run"
	"github.com/plugingen/plugingen/bench/samples"
	"github.com/plugingen/plugingen/bench/stats"
)

// oursPrefix begins the names of our contestants: the ones that are compared with the floor as well.
const oursPrefix = "plugingen"

// Section is a table: contestants that did the same work.
type Section struct {
	Title       string
	Works       []string // in the order of the rows
	Contestants []string // in the order of the columns
	Reference   string   // whom all are compared with
	Floor       string   // whom ours are compared with besides; empty: nobody
	Records     []run.Record
}

// results are a section with its records put in order.
type results struct {
	Section
	*samples.Set
}

// rows lists the quantities that anybody has of a work, in the order of the table.
func (r *results) rows(work string) []measure.Quantity {
	return slices.DeleteFunc(measure.Quantities(), func(q measure.Quantity) bool {
		return !slices.ContainsFunc(r.Contestants, func(c string) bool {
			return r.Has(samples.Key{Contestant: c, Work: work, Quantity: q})
		})
	})
}

// Write writes what the noise was, the table, and what failed.
func (s Section) Write(w io.Writer) error {
	r := &results{Section: s, Set: samples.Collect(s.Records)}
	var b strings.Builder
	if s.Title != "" {
		fmt.Fprintf(&b, "\n## %s\n\n", s.Title)
	}
	r.writeNoise(&b)
	r.writeTable(&b)
	for _, f := range r.Failures {
		fmt.Fprintf(&b, "\nFAILED: %s\n", f)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *results) writeTable(b *strings.Builder) {
	header := []string{"work", "quantity"}
	for _, c := range r.Contestants {
		header = append(header, c)
		if r.hasFloor(c) {
			header = append(header, c+" / "+r.Floor)
		}
	}
	writeRow(b, header)
	writeRow(b, append([]string{"---", "---"}, repeat("---:", len(header)-2)...))
	for _, work := range r.Works {
		name := work
		for _, q := range r.rows(work) {
			writeRow(b, r.row(name, work, q))
			name = "" // once is enough for the eye
		}
	}
}

func (r *results) row(name, work string, q measure.Quantity) []string {
	quantity := string(q)
	if q.LargerIsBetter() {
		quantity += " ↑"
	}
	cells := []string{name, quantity}
	for _, c := range r.Contestants {
		k := samples.Key{Contestant: c, Work: work, Quantity: q}
		cells = append(cells, r.cell(k))
		if r.hasFloor(c) {
			cells = append(cells, ratioText(r.Ratio(k, r.Floor), q))
		}
	}
	return cells
}

// cell is a median and how it compares with the reference.
func (r *results) cell(k samples.Key) string {
	if !r.Has(k) {
		return "–"
	}
	text := number(r.Median(k))
	if k.Contestant != r.Reference {
		if ratio := ratioText(r.Ratio(k, r.Reference), k.Quantity); ratio != "" {
			text += " · " + ratio
		}
	}
	return text
}

// ratioText is a ratio with its quartiles, a bound, or "noise"; what is counted needs no quartiles.
func ratioText(s stats.Summary, q measure.Quantity) string {
	if s.N == 0 {
		return ""
	}
	if q.IsCounted() {
		return countedText(s)
	}
	switch s.Judge() {
	case stats.Stated:
		return fmt.Sprintf("**%.2f** (%.2f–%.2f)", s.Median, s.Low, s.High)
	case stats.Below:
		return fmt.Sprintf("< %.2f", s.High)
	case stats.Above:
		return fmt.Sprintf("> %.2f", s.Low)
	default:
		return "noise"
	}
}

// countedText leaves out ratios to next to nothing: a library that allocates nothing is not beaten 18,000-fold.
func countedText(s stats.Summary) string {
	if s.Median > 200 {
		return ""
	}
	return fmt.Sprintf("**%.2f**", s.Median)
}

func (r *results) hasFloor(contestant string) bool {
	return r.Floor != "" && strings.HasPrefix(contestant, oursPrefix)
}

// number has three digits that count.
func number(v float64) string {
	switch {
	case v == 0:
		return "0"
	case math.Abs(v) >= 100:
		return fmt.Sprintf("%.0f", v)
	case math.Abs(v) >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}

func writeRow(b *strings.Builder, cells []string) {
	b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}

func repeat(s string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = s
	}
	return all
}
