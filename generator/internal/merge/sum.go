package merge

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

// Sum merges go.sum files: it has the lines of both. Hashes of what a module's zip holds go when the merged go.mod, mod, requires
// another version of that module, since nothing reads them any more; the lines of ours which it knows nothing of stay.
func Sum(ours, theirs, mod []byte) []byte {
	stale := func(sumLine) bool { return false }
	if f, err := modfile.ParseLax("go.mod", mod, nil); err == nil {
		required := requirements(f)
		stale = func(l sumLine) bool {
			r, found := required[l.module]
			return found && r.version != l.version && !strings.HasSuffix(l.version, "/go.mod")
		}
	}
	var lines []sumLine
	for _, data := range [][]byte{ours, theirs} {
		for _, l := range parseSum(data) {
			if !stale(l) {
				lines = append(lines, l)
			}
		}
	}
	return withEnding(formatSum(lines), commonEnding(ours, ours, theirs))
}

// sumLine is a line of a go.sum; a line that is none has everything in hash.
type sumLine struct{ module, version, hash string }

func parseSum(data []byte) []sumLine {
	var lines []sumLine
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		switch len(f) {
		case 0:
		case 3:
			lines = append(lines, sumLine{f[0], f[1], f[2]})
		default:
			lines = append(lines, sumLine{hash: strings.Join(f, " ")})
		}
	}
	return lines
}

// formatSum sorts as the go command does: by version, a module's own hash before that of its go.mod.
func formatSum(lines []sumLine) []byte {
	slices.SortFunc(lines, func(a, b sumLine) int {
		va, fileA, _ := strings.Cut(a.version, "/")
		vb, fileB, _ := strings.Cut(b.version, "/")
		return cmp.Or(strings.Compare(a.module, b.module), semver.Compare(va, vb), strings.Compare(fileA, fileB), strings.Compare(a.hash, b.hash))
	})
	var b bytes.Buffer
	for _, l := range slices.Compact(lines) {
		b.WriteString(strings.TrimSpace(l.module+" "+l.version+" "+l.hash) + "\n")
	}
	return b.Bytes()
}
