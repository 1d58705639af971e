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

// Section is a table: contestants that did the same work.
type Section struct {
	Title       string
	Works       []string // in the order of the rows
	Contestants []string // in the order of the columns
	Reference   string   // whom all are compared with
	Fallback    string   // whom instead, in work that Reference refuses; empty: nobody
	Floor       string   // whom Ours is compared with besides; empty: nobody
	Ours        string
	ByWork      bool // a table for each piece of work, with a row for each contestant: for many contestants
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
	if r.ByWork {
		r.writeWorks(&b)
	} else {
		r.writeTable(&b)
	}
	for _, f := range r.Failures {
		fmt.Fprintf(&b, "\nFAILED: %s\n", f)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeTable has a row for each quantity of each piece of work.
func (r *results) writeTable(b *strings.Builder) {
	writeRow(b, append([]string{"work", "quantity"}, r.Contestants...))
	writeRow(b, append([]string{"---", "---"}, repeat("---:", len(r.Contestants))...))
	for _, work := range r.Works {
		name := work
		for _, q := range r.rows(work) {
			cells := []string{name, title(q)}
			for _, c := range r.Contestants {
				cells = append(cells, r.cell(samples.Key{Contestant: c, Work: work, Quantity: q}))
			}
			writeRow(b, cells)
			name = "" // once is enough for the eye
		}
	}
}

// writeWorks has a table for each piece of work.
func (r *results) writeWorks(b *strings.Builder) {
	for _, work := range r.Works {
		quantities := r.rows(work)
		if len(quantities) == 0 {
			continue
		}
		fmt.Fprintf(b, "\n### %s\n\n", work)
		header := []string{""}
		for _, q := range quantities {
			header = append(header, title(q))
		}
		writeRow(b, header)
		writeRow(b, append([]string{"---"}, repeat("---:", len(quantities))...))
		for _, c := range r.Contestants {
			r.writeContestant(b, c, work, quantities)
		}
		r.writeFloor(b, work, quantities)
		r.writeRefused(b, work)
	}
}

// writeContestant leaves out who has nothing to show.
func (r *results) writeContestant(b *strings.Builder, contestant, work string, quantities []measure.Quantity) {
	cells, has := []string{contestant}, r.Refused(contestant, work) != ""
	for _, q := range quantities {
		k := samples.Key{Contestant: contestant, Work: work, Quantity: q}
		has = has || r.Has(k)
		cells = append(cells, r.cell(k))
	}
	if has {
		writeRow(b, cells)
	}
}

// writeFloor compares ours with the floor.
func (r *results) writeFloor(b *strings.Builder, work string, quantities []measure.Quantity) {
	cells, has := []string{r.Ours + " / " + r.Floor}, false
	for _, q := range quantities {
		text := ""
		if r.Floor != "" {
			text = ratioText(r.Ratio(samples.Key{Contestant: r.Ours, Work: work, Quantity: q}, r.Floor), q)
		}
		has = has || text != ""
		cells = append(cells, text)
	}
	if has {
		writeRow(b, cells)
	}
}

// writeRefused says below a table what dashes mean, and whom ratios are to.
func (r *results) writeRefused(b *strings.Builder, work string) {
	if by := r.reference(work); by != r.Reference {
		fmt.Fprintf(b, "\nRatios are to %s, for %s refuses this.\n", by, r.Reference)
	}
	for _, c := range r.Contestants {
		if reason := r.Refused(c, work); reason != "" {
			fmt.Fprintf(b, "\n%s refuses: %s\n", c, reason)
		}
	}
}

// reference is whom all are compared with in a piece of work.
func (r *results) reference(work string) string {
	if r.Fallback != "" && r.Refused(r.Reference, work) != "" {
		return r.Fallback
	}
	return r.Reference
}

func title(q measure.Quantity) string {
	if q.LargerIsBetter() {
		return string(q) + " ↑"
	}
	return string(q)
}

// cell is a median and how it compares with the reference.
func (r *results) cell(k samples.Key) string {
	if !r.Has(k) {
		return "–"
	}
	text := number(r.Median(k))
	if by := r.reference(k.Work); k.Contestant != by {
		if ratio := ratioText(r.Ratio(k, by), k.Quantity); ratio != "" {
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
