package interop

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

const (
	readme      = "../../README.md"
	tableBegins = "<!-- The tests in golden/interop write this: go test -run TestMatrix -update -->\n"
	tableEnds   = "<!-- End of what the tests write. -->\n"
)

// maker makes a peer, or skips the test of a pair when it cannot.
type maker struct {
	name string // as in the table
	make func(*testing.T) peer
}

// table is what our plugins, or our hosts, were seen to do with others.
type table struct {
	head    string
	others  []maker
	pair    func(*testing.T, peer) column
	results []*result // one for each of others; nil when it could not run, or was not to
}

// result is a column of the table.
type result struct {
	column column
	cells  []cell
}

// fill runs all columns, some at a time.
func (tb *table) fill(t *testing.T) {
	tb.results = make([]*result, len(tb.others))
	for i, other := range tb.others {
		t.Run(tb.head+" "+other.name, func(t *testing.T) {
			t.Parallel()
			c := tb.pair(t, other.make(t))
			tb.results[i] = &result{c, c.run(t)}
		})
	}
}

// holds says whether all runs that the row is about were as they should be.
func (r *result) holds(about row) bool {
	seen := false
	for _, c := range r.cells {
		if about.over(c.request) {
			seen = true
			if c.err != nil || about.check(c) != nil {
				return false
			}
		}
	}
	return seen
}

// notes numbers what has to be said below the tables.
type notes []string

func (n *notes) mark(text string) string {
	i := slices.Index(*n, text)
	if i < 0 {
		i = len(*n)
		*n = append(*n, text)
	}
	return fmt.Sprintf(" (%d)", i+1)
}

func (tb *table) render(b *strings.Builder, n *notes) {
	fmt.Fprintf(b, "\n| %s |", tb.head)
	for _, other := range tb.others {
		fmt.Fprintf(b, " %s |", other.name)
	}
	fmt.Fprintf(b, "\n| --- |%s\n", strings.Repeat(" --- |", len(tb.results)))
	for _, about := range rows() {
		fmt.Fprintf(b, "| %s |", about.name)
		for _, r := range tb.results {
			fmt.Fprintf(b, " %s |", r.text(about, n))
		}
		b.WriteString("\n")
	}
}

func (r *result) text(about row, n *notes) string {
	if why := r.column.why(about.name); why != "" {
		return "no" + n.mark(why)
	}
	if !r.holds(about) {
		return "**no**"
	}
	if note := r.column.note(about.name); note != "" {
		return "yes" + n.mark(note)
	}
	return "yes"
}

// holdReadme compares the README with what was seen, or rewrites it. When not all pairs have run there is nothing to compare.
func holdReadme(t *testing.T, tables ...*table) {
	t.Helper()
	var b strings.Builder
	var n notes
	for _, tb := range tables {
		if slices.ContainsFunc(tb.results, func(r *result) bool { return r == nil || len(r.cells) < r.column.wanted() }) {
			t.Logf("the README is not compared: not all pairs have run")
			return
		}
		tb.render(&b, &n)
	}
	b.WriteString("\n")
	for i, text := range n {
		fmt.Fprintf(&b, "(%d) %s.  \n", i+1, text)
	}
	b.WriteString("\n")
	t.Log(b.String())
	before, has, after := readTable(t)
	if has == b.String() {
		return
	}
	if !*update {
		t.Fatal("the README says something else than was seen; go test -run TestMatrix -update . rewrites it")
	}
	if err := os.WriteFile(readme, []byte(before+tableBegins+b.String()+tableEnds+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

func readTable(t *testing.T) (before, table, after string) {
	t.Helper()
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), tableBegins)
	table, after, ok2 := strings.Cut(rest, tableEnds)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the table", readme)
	}
	return before, table, after
}
