package generate

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plugingen/plugingen/generator"
)

// wideTimes is how often the ten kinds of methods are in the wide interface.
const wideTimes = 20

// TestTwoHundredMethods runs one suite against an interface of 200 methods, which has streams, callbacks and objects: with the
// implementation in the suite's process, and with one in a plugin's. Under the race detector all of it is.
func TestTwoHundredMethods(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a module")
	}
	root := moduleRoot(t)
	dir := filepath.Join(root, "wide")
	write(t, filepath.Join(dir, "wide.go"), repeated(t, "testdata/wide/wide.go.txt"))
	r, err := generator.Contract(t.Context(), generator.ContractRequest{Dir: dir, Types: []string{"Wide"}})
	must(t, err)
	if n := len(r.Contract.Services[0].Methods); n != 200 {
		t.Fatalf("%d methods, want 200", n)
	}
	for _, f := range r.Files {
		write(t, filepath.Join(dir, filepath.FromSlash(f.Name)), f.Data)
	}
	write(t, filepath.Join(dir, "trip", trip), repeated(t, "testdata/wide/trip.go.txt"))
	write(t, filepath.Join(root, "check", "check.go"), read(t, "testdata/check.go.txt"))
	write(t, filepath.Join(root, "wide_test.go"), read(t, "testdata/wide/wide_test.go.txt"))
	run(t, root, "vet", "./...")
	args := []string{"test", "-count=1", "-timeout=300s"}
	if raceDetector {
		args = append(args, "-race")
	}
	run(t, root, append(args, ".")...)
}

// repeated is the file with what is between the lines "// each" and "// end" once for each number, which stands in place of NNN.
func repeated(t *testing.T, name string) []byte {
	t.Helper()
	var out, part strings.Builder
	within := false
	for line := range strings.Lines(string(read(t, name))) {
		switch strings.TrimSpace(line) {
		case "// each":
			within = true
		case "// end":
			for i := range wideTimes {
				out.WriteString(strings.ReplaceAll(part.String(), "NNN", fmt.Sprintf("%03d", i)))
			}
			part.Reset()
			within = false
		default:
			if within {
				part.WriteString(line)
			} else {
				out.WriteString(line)
			}
		}
	}
	return []byte(out.String())
}
