package merge

import (
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

// FuzzMod: whatever a go.mod says, its merge neither panics nor makes a file that does not parse, and a template that did not
// change leaves it alone.
func FuzzMod(f *testing.F) {
	f.Add(baseMod, baseMod+"\nexclude example.com/b v1.0.0\n", mod("b v1.1.0", "b v1.2.0"))
	f.Add(baseMod, "module \"example.com/x\"\nretract [v1.0.0, v1.1.0] // why\nignore ./x\n", "go 1.21\ntoolchain go1.27.1\n")
	f.Add("", "require example.com/a v1.0.0\nreplace example.com/a v1.0.0 => ../a\n", "require (\n\texample.com/a v1.0.0 // indirect\n\texample.com/a v1.1.0\n)\n")
	f.Fuzz(func(t *testing.T, base, ours, theirs string) {
		got, _, err := Mod([]byte(base), []byte(ours), []byte(theirs))
		if err != nil {
			return
		}
		if _, err := modfile.Parse("go.mod", got, nil); err != nil {
			t.Errorf("the merge does not parse: %v\n%s", err, got)
		}
		Sum([]byte(ours), []byte(theirs), got)
		if same, _, err := Mod([]byte(base), got, []byte(base)); err != nil || strings.TrimSpace(string(same)) != strings.TrimSpace(string(got)) {
			t.Errorf("a second merge, %v:\n%s\nwant:\n%s", err, same, got)
		}
	})
}
