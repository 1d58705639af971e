package update_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// layerOf is a layer of 23 files, which makes a project of 40.
func layerOf(line string) files {
	f := files{}
	for i := range 23 {
		f[fmt.Sprintf("file%d.md.tmpl", i)] = fmt.Sprintf("# {{.Name}} %d\n%s\n%s", i, line, strings.Repeat("a line\nanother\n\n", 20))
	}
	return f
}

// BenchmarkUpdate brings a project of 40 files to a template that changed 23 of them, ten of which its owner changed,
// besides the contract: all that it costs but for the start of the program.
func BenchmarkUpdate(b *testing.B) {
	original := newProject(b, layerOf("before"))
	for i := range 10 {
		edit(b, original, fmt.Sprintf("file%d.md", i), "another\n\n", "mine\n\n")
	}
	edit(b, original, "greeter/greeter.go", "Visits int", "Visits, Stays int")
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		dir := filepath.Join(b.TempDir(), fmt.Sprint(i))
		if err := os.CopyFS(dir, os.DirFS(original)); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		u := mustPlan(b, request(dir, layerOf("after")))
		if err := u.Commit(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCheck finds out that a project of 40 files is up to date.
func BenchmarkCheck(b *testing.B) {
	dir := newProject(b, layerOf("before"))
	b.ReportAllocs()
	for b.Loop() {
		if u := mustPlan(b, request(dir, layerOf("before"))); u.Differs() {
			b.Fatal(u.Changes)
		}
	}
}
