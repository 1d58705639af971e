// Package plots draws what a run measured as SVG: bars, a panel for each piece of work. Equal samples give equal bytes.
//
// It is written by hand: the libraries that draw static SVG bring fonts, PDF and raster graphics along, and know no dark background.
package plots

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/plugingen/plugingen/bench/measure"
	"github.com/plugingen/plugingen/bench/samples"
)

// oursPrefix begins the names of the bars that stand out.
const oursPrefix = "plugingen"

// Figure is a file of panels that belong together.
type Figure struct {
	Name     string // of the file, without its ending
	Title    string
	Quantity measure.Quantity
	Works    []string // a panel each
}

// Figures are those that RESULTS.md shows.
func Figures() []Figure {
	calls := []string{"small call, callers: 1", "small call, callers: 8", "small call, callers: 64"}
	return []Figure{
		{"start", "Start: exec to first reply, ms (shorter is better)", measure.FirstReply, []string{"one start"}},
		{"fleet", "Many at once: until all are ready, ms (shorter is better)", measure.AllReady, []string{"10 started at once", "100 started at once"}},
		{"latency", "Latency of a small call: p50, µs (shorter is better)", measure.P50, calls},
		{"throughput", "Small calls a second (longer is better)", measure.Rate, calls},
		{"allocations", "Allocations of the host in a small call (shorter is better)", measure.HostAllocs, calls[:1]},
		{"bulk", "Large messages, MB/s (longer is better)", measure.Throughput, []string{"1 MiB up", "1 MiB down", "64 MiB up", "64 MiB down"}},
	}
}

// WriteAll writes the figures of which there is anything into dir, and returns links to them in Markdown, relative to base.
func WriteAll(base, dir string, set *samples.Set, contestants []string) (string, error) {
	if err := os.MkdirAll(filepath.Join(base, dir), 0o755); err != nil {
		return "", err
	}
	var links strings.Builder
	for _, f := range Figures() {
		svg := f.SVG(set, contestants)
		if svg == nil {
			continue
		}
		if err := os.WriteFile(filepath.Join(base, dir, f.Name+".svg"), svg, 0o644); err != nil {
			return "", err
		}
		fmt.Fprintf(&links, "![%s](%s/%s.svg)\n\n", f.Title, dir, f.Name)
	}
	return links.String(), nil
}

// Measures of a figure, in pixels.
const (
	width     = 760
	left      = 170 // of the bars
	longest   = 480
	barHeight = 14
	rowHeight = 20
	headline  = 34
)

const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" font-family="sans-serif" font-size="12">
<style>
text{fill:#24292f}.bar{fill:#8c959f}.ours{fill:#0969da}.title{font-size:15px;font-weight:bold}.panel{font-weight:bold}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.bar{fill:#6e7681}.ours{fill:#58a6ff}}
</style>
<title>%[5]s</title>
<text class="title" x="8" y="20">%[5]s</text>
`

// SVG draws f; nil when nobody has a value.
func (f Figure) SVG(set *samples.Set, contestants []string) []byte {
	var body bytes.Buffer
	y := headline
	for _, work := range f.Works {
		bars := f.bars(set, work, contestants)
		if len(bars) == 0 {
			continue
		}
		y = panel(&body, y, work, bars)
	}
	if body.Len() == 0 {
		return nil
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, head, width, y, width, y, html.EscapeString(f.Title))
	_, _ = body.WriteTo(&out)
	out.WriteString("</svg>\n")
	return out.Bytes()
}

type bar struct {
	name  string
	value float64
}

func (f Figure) bars(set *samples.Set, work string, contestants []string) []bar {
	var bars []bar
	for _, c := range contestants {
		if k := (samples.Key{Contestant: c, Work: work, Quantity: f.Quantity}); set.Has(k) {
			bars = append(bars, bar{c, set.Median(k)})
		}
	}
	return bars
}

// panel draws bars from y down, and returns where the next may begin.
func panel(w *bytes.Buffer, y int, title string, bars []bar) int {
	most := 0.0
	for _, b := range bars {
		most = max(most, b.value)
	}
	fmt.Fprintf(w, "<text class=\"panel\" x=\"8\" y=\"%d\">%s</text>\n", y+barHeight, html.EscapeString(title))
	y += rowHeight
	for _, b := range bars {
		class := "bar"
		if strings.HasPrefix(b.name, oursPrefix) {
			class = "ours"
		}
		long := 1 + math.Round(longest*b.value/max(most, 1e-9))
		base := y + barHeight - 3
		fmt.Fprintf(w, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>", left-8, base, html.EscapeString(b.name))
		fmt.Fprintf(w, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%.0f\" height=\"%d\"/>", class, left, y, long, barHeight)
		fmt.Fprintf(w, "<text x=\"%.0f\" y=\"%d\">%s</text>\n", left+long+6, base, short(b.value))
		y += rowHeight
	}
	return y + rowHeight/2
}

// short has three digits that count.
func short(v float64) string {
	if v >= 100 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}
