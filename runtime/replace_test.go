package runtime_test

import (
	"maps"
	"slices"
	"testing"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/plugingen/plugingen/runtime"
)

type base struct{ Name string }

type partial struct {
	base
	Age    int
	hidden int
}

func TestReplaceKeepsWhatDoesNotCross(t *testing.T) {
	p := partial{base: base{"old"}, Age: 1, hidden: 2}
	if !runtime.ReplaceExported(&p, &partial{base: base{"new"}, Age: 3}) || p != (partial{base{"new"}, 3, 2}) {
		t.Errorf("got %+v", p)
	}
	if !runtime.Replace(&p, &partial{Age: 4}) || p != (partial{Age: 4}) {
		t.Errorf("got %+v", p)
	}
}

func TestReplaceNeedsBoth(t *testing.T) {
	p := &partial{Age: 1}
	if runtime.Replace(p, nil) || runtime.Replace(nil, p) || runtime.ReplaceExported(p, nil) || runtime.ReplaceExported(nil, p) {
		t.Error("nil was replaced")
	}
	d := durationpb.New(1)
	if runtime.ReplaceMessage(d, (*durationpb.Duration)(nil)) || runtime.ReplaceMessage((*durationpb.Duration)(nil), d) {
		t.Error("a nil message was replaced")
	}
	m := map[string]int{"a": 1}
	runtime.ReplaceMap(m, nil)
	runtime.ReplaceMap(nil, &m)
	if !maps.Equal(m, map[string]int{"a": 1}) {
		t.Errorf("got %v", m)
	}
}

func TestReplaceAny(t *testing.T) {
	n, with, d := 1, 2, durationpb.New(1)
	list, elements, m := []any{&n, "x"}, []int{1, 2, 3}, map[string]int{"a": 1}
	for _, c := range []struct {
		p, with any
		want    bool
	}{
		{&n, &with, true},
		{&n, (*int)(nil), false},
		{&n, &list, false},
		{nil, nil, false},
		{5, 6, false},
		{d, durationpb.New(7), true},
		{elements, []int{4, 5}, true},
		{m, map[string]int{"b": 2}, true},
		{m, map[string]int(nil), true},
		{list, []any{new(8), "y", "too many"}, true},
	} {
		if got := runtime.ReplaceAny(c.p, c.with); got != c.want {
			t.Errorf("%v with %v: got %v", c.p, c.with, got)
		}
	}
	if n != 8 || list[1] != "y" || d.AsDuration() != 7 || !slices.Equal(elements, []int{4, 5, 3}) || !maps.Equal(m, map[string]int{"b": 2}) {
		t.Errorf("got %v, %v, %v, %v, %v", n, list, d, elements, m)
	}
}
