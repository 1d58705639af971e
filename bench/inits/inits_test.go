package inits

import (
	"testing"

	"github.com/plugingen/plugingen/bench/measure"
)

func TestParse(t *testing.T) {
	got := parse(`init internal/bytealg @0.008 ms, 0.25 ms clock, 1024 bytes, 3 allocs
init example.com/a/b @1.5 ms, 0.5 ms clock, 512 bytes, 4 allocs
usage: something else
init is a word, too
`)
	want := measure.Sample{measure.InitTime: 0.75, measure.InitBytes: 1.5, measure.InitAllocs: 7}
	for q, v := range want {
		if got[q] != v {
			t.Errorf("%s = %v, want %v", q, got[q], v)
		}
	}
	if s := parse("hello\n"); len(s) != 0 {
		t.Errorf("nothing is %v", s)
	}
}
