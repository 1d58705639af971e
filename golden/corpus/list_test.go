package corpus

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/plugingen/plugingen/generator/model"
)

// mark parts what people write in README.md from the list, which the test writes.
const mark = "<!-- what follows is written by the test: go test -update -->\n"

// compareList compares what came of the entries with README.md.
func compareList(t *testing.T, entries []*entry) {
	t.Helper()
	old := read(t, "README.md")
	text, _, ok := bytes.Cut(old, []byte(mark))
	if !ok {
		t.Fatalf("README.md lacks the line %q", mark)
	}
	want := append(bytes.Clone(text), mark+list(entries)...)
	if *update {
		write(t, "README.md", want)
		return
	}
	if !bytes.Equal(old, want) {
		t.Errorf("what came of the corpus is not what README.md says; run go test -update and read the diff:\n%s", want)
	}
}

func list(entries []*entry) string {
	var b strings.Builder
	modules, refused, methods := map[string]bool{}, 0, 0
	b.WriteString("\n| module | interface | methods | result |\n| --- | --- | ---: | --- |\n")
	slices.SortStableFunc(entries, func(a, b *entry) int { return strings.Compare(a.module, b.module) })
	for _, e := range entries {
		modules[e.module] = true
		if e.result == nil {
			refused++
			fmt.Fprintf(&b, "| %s | `%s` | | refused: %s |\n", e.module, e.interfaceName(), reason(e.faults))
			continue
		}
		n := len(e.result.Contract.Services[0].Methods)
		methods += n
		fmt.Fprintf(&b, "| %s | `%s` | %d | %s |\n", e.module, e.interfaceName(), n, e.outcome())
	}
	fmt.Fprintf(&b, "\n%d interfaces of %d modules, %d refused; %d methods called.\n", len(entries), len(modules), refused, methods)
	return b.String()
}

func (e *entry) interfaceName() string {
	path, _, _ := strings.Cut(e.module, "@")
	return strings.TrimPrefix(strings.TrimPrefix(e.foreign, path), "/") + "." + e.goType
}

func (e *entry) outcome() string {
	notes := []string{"round trip"}
	if n := len(e.result.Contract.Objects); n > 0 {
		notes = append(notes, fmt.Sprintf("interfaces and functions that cross: %d", n))
	}
	if e.directive {
		notes = append(notes, "with a directive")
	}
	return strings.Join(notes, ", ")
}

// reason is the first fault and how many more there are, without the place of the module's cache.
func reason(faults model.Diagnostics) string {
	d := faults[0]
	text := fmt.Sprintf("`%s`: %s (%s)", d.Where, d.Why, d.Code)
	if n := len(faults) - 1; n > 0 {
		text += fmt.Sprintf(", and %d more", n)
	}
	return text
}
