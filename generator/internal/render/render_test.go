package render_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/plugingen/plugingen/generator/internal/render"
)

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }

func newSet(t *testing.T, layers ...fstest.MapFS) *render.Set {
	t.Helper()
	s, err := render.NewSet()
	switch len(layers) {
	case 1:
		s, err = render.NewSet(layers[0])
	case 2:
		s, err = render.NewSet(layers[0], layers[1])
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func texts(outputs []render.Output) map[string]string {
	found := map[string]string{}
	for _, o := range outputs {
		found[o.Path] = string(o.Data)
	}
	return found
}

func TestNames(t *testing.T) {
	s := newSet(t, fstest.MapFS{
		"p/go.mod.tmpl":                       file("module x"),
		"p/dot_gitignore.tmpl":                file("bin"),
		"p/dot_github/ci.yml.tmpl":            file("on: push"),
		"p/{{.Name}}/{{.Name}}.txt.tmpl":      file("{{.Name}}"),
		"p/{{if .No}}left-out.go{{end}}.tmpl": file("not even Go {{.Missing}}"),
		"p/{{if .No}}dir{{end}}/x.tmpl":       file("x"),
		"p/verbatim.txt":                      file("{{not a template}}"),
		"other/y.tmpl":                        file("y"),
	})
	outputs, err := s.Render("p", map[string]any{"Name": "a-b", "No": false})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"go.mod": "module x", ".gitignore": "bin", ".github/ci.yml": "on: push", "a-b/a-b.txt": "a-b", "verbatim.txt": "{{not a template}}",
	}
	got := texts(outputs)
	for path, text := range want {
		if got[path] != text {
			t.Errorf("%s = %q, want %q", path, got[path], text)
		}
	}
	if len(got) != len(want) {
		t.Errorf("rendered %v, want %v", got, want)
	}
}

func TestLayersAndPartials(t *testing.T) {
	builtIn := fstest.MapFS{
		"shared/greeting.tmpl": file("hello"),
		"p/a.txt.tmpl":         file(`{{template "greeting"}} {{.}}`),
		"p/b.txt.tmpl":         file("built in"),
	}
	team := fstest.MapFS{
		"shared/greeting.tmpl": file("good day"),
		"p/b.txt.tmpl":         file("team"),
		"p/c.txt.tmpl":         file("more"),
	}
	outputs, err := newSet(t, builtIn, team).Render("p", "Ada")
	if err != nil {
		t.Fatal(err)
	}
	got := texts(outputs)
	if got["a.txt"] != "good day Ada" || got["b.txt"] != "team" || got["c.txt"] != "more" {
		t.Errorf("rendered %v", got)
	}
}

func TestGoIsFormatted(t *testing.T) {
	outputs, err := newSet(t, fstest.MapFS{"p/x.go.tmpl": file("package   x\nfunc  F( ) { }")}).Render("p", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(outputs[0].Data); got != "package x\n\nfunc F() {}\n" {
		t.Errorf("rendered %q", got)
	}
}

// Every case is a value that would change what a file means if it were put there as it is.
func TestHostileValues(t *testing.T) {
	const (
		comment = "package x\n\n// {{.}} is a word.\nfunc F() {}\n"
		ident   = "package x\n\ntype {{.}} struct{}\n"
		text    = "package x\n\nconst C = \"{{.}}\"\n"
		yaml    = "name: {{.}}\n"
		makes   = "build:\n\techo {{.}}\n"
	)
	cases := map[string]struct{ target, template, value string }{
		"declaration after a comment": {"x.go", "package x\n\n// {{.}}\n", "x\ntype Evil int"},
		"declaration after another":   {"x.go", "package x\n\ntype {{.}} int\n", "A int; type B"},
		"directive in a comment":      {"x.go", comment, "x\n//go:generate sh -c 'rm -rf /'\n//"},
		"directive after CR":          {"x.go", comment, "x\r//go:generate sh"},
		"embed":                       {"x.go", comment, "x\n//go:embed /etc/passwd\nvar Y string\n//"},
		"linkname":                    {"x.go", comment, "x\n//go:linkname F runtime.G\n//"},
		"line":                        {"x.go", comment, "x\n//line other.go:1\n//"},
		"line in the middle":          {"x.go", ident, "T/*line a.go:1*/"},
		"build constraint":            {"x.go", comment, "x\n// +build ignore\n//"},
		"import C":                    {"x.go", comment, "x\n#cgo LDFLAGS: -l x\nimport \"C\"\n//"},
		"declarations in a name":      {"x.go", ident, "T struct{}; func init() { panic(1) }; type U"},
		"end of a string":             {"x.go", text, `"; func init() { panic(1) }; const D = "`},
		"backquote":                   {"x.go", text, "`"},
		"escape in a string":          {"x.go", text, `\x00`},
		"comment":                     {"x.go", ident, "T //"},
		"not UTF-8":                   {"x.go", text, "\xff"},
		"nul":                         {"x.go", text, "\x00"},
		"right to left":               {"x.go", comment, "\u202e"},
		"line separator":              {"README.md", "{{.}}", "a\u2028b"},
		"newline in text":             {"README.md", "# {{.}}", "a\n\n<script>"},
		"escape in text":              {"README.md", "# {{.}}", "a\x1b[2J"},
		"key in yaml":                 {"ci.yml", yaml, "x\non: push"},
		"flow in yaml":                {"ci.yml", yaml, "{x: y}"},
		"expression in yaml":          {"ci.yml", yaml, "${{ secrets.X }}"},
		"shell function in make":      {"Makefile", makes, "$(shell curl example.com)"},
		"command in make":             {"Makefile", makes, "x; curl example.com"},
		"command in backquotes":       {"Makefile", makes, "`curl example.com`"},
		"replace in go.mod":           {"go.mod", "module {{.}}\n", "x\nreplace a => b"},
		"value of a named type too":   {"x.go", ident, "T;"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := newSet(t, fstest.MapFS{"p/" + c.target + ".tmpl": file(c.template)}).Render("p", c.value)
			var fault *render.Error
			if !errors.As(err, &fault) {
				t.Fatalf("%q passed: %v", c.value, err)
			}
			if !strings.Contains(err.Error(), c.target+".tmpl:") || strings.ContainsAny(err.Error(), "\x00\x1b\u202e") {
				t.Errorf("error %q: want the template, its line, and nothing that moves a cursor", err)
			}
		})
	}
}

func TestHarmlessValues(t *testing.T) {
	for _, value := range []string{"Greeter", "map[string][]int", "example.com/a/b~1/v2", "*pb.Greeter", "Größe", "a-b_c.d"} {
		if _, err := newSet(t, fstest.MapFS{"p/x.go.tmpl": file("package x\n\n// {{.}} is.\nvar _ = 1\n")}).Render("p", value); err != nil {
			t.Errorf("%q: %v", value, err)
		}
	}
}

// Code is trusted to be Go, but still cannot bring a directive: what it is made of may come from elsewhere.
func TestCodeBringsNoDirective(t *testing.T) {
	s := newSet(t, fstest.MapFS{"p/x.go.tmpl": file("package x\n\n//go:generate own\n{{.}}\n")})
	for _, code := range []render.Code{"//go:embed x\nvar X string", "//go:linkname a b", "//line x.go:1", "import \"C\"", "//export F", "//nolint:all"} {
		if _, err := s.Render("p", code); err == nil {
			t.Errorf("%q passed", code)
		}
	}
	if _, err := s.Render("p", render.Code("func F() {}")); err != nil {
		t.Error(err)
	}
}

func TestComment(t *testing.T) {
	s := newSet(t, fstest.MapFS{"p/x.go.tmpl": file("{{comment .}}\npackage x\n")})
	for _, text := range []string{"go:generate sh", "+build ignore", "a\ngo:build ignore\n\n+build x", "a\r+build x", "line x.go:1", "\u202e*/ x"} {
		outputs, err := s.Render("p", text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		for line := range strings.SplitSeq(string(outputs[0].Data), "\n") {
			if strings.HasPrefix(line, "//go:") || strings.HasPrefix(line, "// +build") || strings.HasPrefix(line, "//line") {
				t.Errorf("%q became the directive %q", text, line)
			}
		}
	}
}

func TestFaults(t *testing.T) {
	cases := map[string]struct{ text, want string }{
		"missing key":      {"a\n{{.Nobody}}", "x.go.tmpl:2:"},
		"syntax":           {"a\n{{if}}", "x.go.tmpl:2:"},
		"unknown partial":  {`{{template "nobody"}}`, "x.go.tmpl:1:"},
		"unknown function": {`{{env "HOME"}}`, "x.go.tmpl:1:"},
		"not Go":           {"package x\n\nfunc {\n", "    3  func {"},
		"too much":         {`{{range $i := .Many}}{{$.Long}}{{end}}`, "grows beyond"},
		"a struct":         {"{{.Struct}}", "cannot be printed"},
		"a list":           {"{{.List}}", "cannot be printed"},
	}
	data := map[string]any{"Many": 1 << 20, "Long": strings.Repeat("a", 1<<10), "Struct": struct{ A int }{}, "List": []string{"a"}}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := newSet(t, fstest.MapFS{"p/x.go.tmpl": file(c.text)}).Render("p", data)
			var fault *render.Error
			if !errors.As(err, &fault) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "p/x.go.tmpl") {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
	t.Run("all at once", func(t *testing.T) {
		_, err := newSet(t, fstest.MapFS{"p/a.tmpl": file("{{.A}}"), "p/b.tmpl": file("{{.B}}")}).Render("p", map[string]any{})
		if err == nil || !strings.Contains(err.Error(), "a.tmpl") || !strings.Contains(err.Error(), "b.tmpl") {
			t.Errorf("error %v, want both", err)
		}
	})
}

func TestLinksAreRefused(t *testing.T) {
	link := &fstest.MapFile{Data: []byte("/etc/passwd"), Mode: 0o777 | 1<<27} // fs.ModeSymlink
	if _, err := render.NewSet(fstest.MapFS{"p/x.tmpl": link}); err == nil {
		t.Error("a symbolic link was taken for a template")
	}
}

func FuzzHostileValue(f *testing.F) {
	f.Add("x\n//go:generate sh")
	f.Add("T struct{}; type U")
	f.Add("a/*line x:1*/")
	set, err := render.NewSet(fstest.MapFS{"p/x.go.tmpl": file("package x\n\n// {{.}} is.\ntype T_{{.}} int\n")})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, value string) {
		outputs, err := set.Render("p", value)
		if err != nil {
			return
		}
		text := string(outputs[0].Data)
		if strings.Contains(text, "//go:") || strings.Count(text, "type ") != 1+strings.Count(value, "type ")*2 {
			t.Errorf("%q changed the file:\n%s", value, text)
		}
	})
}
