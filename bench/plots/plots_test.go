package plots

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plugingen/plugingen/bench/measure"
	"github.com/plugingen/plugingen/bench/run"
	"github.com/plugingen/plugingen/bench/samples"
)

func set() *samples.Set {
	var records []run.Record
	for round, v := range []float64{10, 30, 20} {
		records = append(records,
			run.Record{Contestant: "plugingen", Work: "one start", Round: round, Sample: measure.Sample{measure.FirstReply: v}},
			run.Record{Contestant: "<peer> & co", Work: "one start", Round: round, Sample: measure.Sample{measure.FirstReply: 4 * v}})
	}
	return samples.Collect(records)
}

func TestFigure(t *testing.T) {
	f := Figures()[0]
	names := []string{"plugingen", "<peer> & co", "absent"}
	got := f.SVG(set(), names)
	for d := xml.NewDecoder(bytes.NewReader(got)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, got)
		}
	}
	for _, want := range []string{`class="ours" x="170" y="54" width="121"`, `class="bar" x="170" y="74" width="481"`, ">20<", ">80<", "prefers-color-scheme:dark"} {
		if !bytes.Contains(got, []byte(want)) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	if again := f.SVG(set(), names); !bytes.Equal(got, again) {
		t.Error("equal samples gave another picture")
	}
}

func TestOnlyWhatWasMeasuredIsDrawn(t *testing.T) {
	base := t.TempDir()
	links, err := WriteAll(base, "plots", set(), []string{"plugingen"})
	if err != nil || strings.Count(links, "![") != 1 || !strings.Contains(links, "(plots/start.svg)") {
		t.Errorf("links = %q, %v", links, err)
	}
	if files, err := os.ReadDir(filepath.Join(base, "plots")); err != nil || len(files) != 1 {
		t.Errorf("files = %v, %v", files, err)
	}
}

// TestFiguresAreMeasured: a panel of work that no run does would silently be missing.
func TestFiguresAreMeasured(t *testing.T) {
	known := map[string]bool{}
	for _, name := range run.Full().Names() {
		known[name] = true
	}
	for _, f := range Figures() {
		for _, work := range f.Works {
			if !known[work] {
				t.Errorf("%s: there is no work %q", f.Name, work)
			}
		}
	}
}
