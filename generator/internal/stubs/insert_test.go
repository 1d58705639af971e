package stubs

import (
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

// Every line that was there is there afterwards, in order, and the file parses.
func TestInsertKeepsLines(t *testing.T) {
	for name, source := range map[string]string{
		"no imports":      "package p\n\ntype  T struct{}\n",
		"single imports":  "package p\n\nimport \"fmt\"\nimport x \"a.b/x\"\n\nvar _ =  fmt.Sprint\n",
		"block":           "package p\n\nimport (\n\t\"fmt\" // why\n\n\t\"a.b/x\"\n)\n\ntype  T struct{}\n",
		"block on a line": "package p\n\nimport (\"fmt\")\n",
		"others only":     "package p\n\nimport (\n\t\"a.b/x\"\n)\n",
		"standard only":   "package p\n\nimport (\n\t\"fmt\"\n)\n",
		"cgo":             "package p\n\n// int x;\nimport (\n\t\"C\"\n)\n",
		"no end":          "package p\n\ntype  T struct{}",
		"windows":         "package p\r\n\r\nimport (\r\n\t\"fmt\"\r\n)\r\n\r\ntype  T struct{}\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			data, err := Insert([]byte(source), []Import{{"", "io"}, {"y", "a.b/c/y2"}}, "func f() {}\n")
			if err != nil {
				t.Fatal(err)
			}
			f, err := parser.ParseFile(token.NewFileSet(), "", data, 0)
			if err != nil {
				t.Fatalf("%v in\n%s", err, data)
			}
			if n := strings.Count(source, `"`)/2 + 2; len(f.Imports) != n {
				t.Errorf("%d imports, want %d:\n%s", len(f.Imports), n, data)
			}
			rest := string(data)
			for line := range strings.Lines(source) {
				_, after, found := strings.Cut(rest, line)
				if !found {
					t.Fatalf("the line %q is gone:\n%s", line, data)
				}
				rest = after
			}
			if windows := strings.Contains(source, "\r\n"); windows != (strings.Count(string(data), "\r\n") == strings.Count(string(data), "\n")) {
				t.Errorf("line ends are mixed: %q", data)
			}
		})
	}
}

func TestInsertRefuses(t *testing.T) {
	if data, err := Insert([]byte("package p; type T struct{}\n"), []Import{{"", "io"}}, "func f() {}\n"); err == nil {
		t.Errorf("no error for\n%s", data)
	}
}
