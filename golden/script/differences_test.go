package script

import (
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/rogpeppe/go-internal/txtar"
)

// differences is a unified diff of two archives, files that only one of them has included; empty without any.
func differences(want, got *txtar.Archive) string {
	var b strings.Builder
	gotten := byName(got)
	for _, f := range want.Files {
		data, found := gotten[f.Name]
		if !found {
			b.WriteString("missing: " + f.Name + "\n")
			continue
		}
		b.Write(diff.Diff("want/"+f.Name, f.Data, "got/"+f.Name, data))
		delete(gotten, f.Name)
	}
	for _, f := range got.Files {
		if _, left := gotten[f.Name]; left {
			b.WriteString("not expected: " + f.Name + "\n")
		}
	}
	return b.String()
}

func byName(a *txtar.Archive) map[string][]byte {
	files := map[string][]byte{}
	for _, f := range a.Files {
		files[f.Name] = f.Data
	}
	return files
}
