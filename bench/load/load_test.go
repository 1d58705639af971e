package load

import (
	"bytes"
	"strings"
	"testing"
)

func TestUsageTravels(t *testing.T) {
	want := MeasureUsage()
	got, err := ParseUsage(want.Fields())
	if err != nil {
		t.Fatal(err)
	}
	if !got.MainAt.Equal(want.MainAt) || got.CPU != want.CPU || got.Mallocs != want.Mallocs || got.Heap != want.Heap {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if _, err := ParseUsage([]int64{1}); err == nil {
		t.Error("a short usage was taken")
	}
}

func TestPrintLines(t *testing.T) {
	for _, format := range []string{Text, Slog, HCLog} {
		var out bytes.Buffer
		if err := printLines(&out, format, 3); err != nil {
			t.Fatal(err)
		}
		lines := strings.SplitAfter(out.String(), "\n")
		if len(lines) != 5 || len(lines[0]) != LineLength(format) || !strings.Contains(lines[3], LastLine) || lines[4] != "" {
			t.Errorf("%s: %q", format, lines)
		}
	}
	if err := printLines(&bytes.Buffer{}, "xml", 1); err == nil {
		t.Error("a format that there is not was written")
	}
}

func TestGetRefusesSizes(t *testing.T) {
	for _, size := range []int64{-1, MaxPayload + 1} {
		if _, err := NewServer().Get(t.Context(), size); err == nil {
			t.Errorf("Get(%d) was served", size)
		}
	}
}
