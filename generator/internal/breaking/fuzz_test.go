package breaking

import (
	"testing"

	"github.com/plugingen/plugingen"
)

// FuzzContracts has two properties: whatever compiles can be compared with whatever compiles, and with itself it has no change.
func FuzzContracts(f *testing.F) {
	for _, c := range ruleCases() {
		f.Add(c.was, c.now, c.goWas, c.goNow)
	}
	for _, c := range goCases() {
		f.Add(call, call, c.goWas, c.goNow)
	}
	f.Fuzz(func(t *testing.T, was, now, goWas, goNow string) {
		a, b := snapshot(was, goWas), snapshot(now, goNow)
		_, _ = Contracts(t.Context(), a, b, plugingen.Source) // most of it does not compile
		if changes, err := Contracts(t.Context(), b, b, plugingen.Source); err == nil && len(changes) > 0 {
			t.Errorf("a change of nothing: %+v", changes)
		}
	})
}
