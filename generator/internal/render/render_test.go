package render_test

import (
	"errors"
	"go/format"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/plugingen/plugingen/generator/internal/render"
)

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }

func newSet(t testing.TB, layers ...fstest.MapFS) *render.Set {
	t.Helper()
	names := []string{"built-in", "team", "project"}
	var stack []render.Layer
	for i, files := range layers {
		read, err := render.Read(files)
		if err != nil {
			t.Fatal(err)
		}
		l := render.Layer{Name: names[i], Files: read}
		if i > 0 {
			l.Shown = names[i] + "/"
		}
		stack = append(stack, l)
	}
	return render.NewSet(stack...)
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
	outputs, err := s.Render("p", map[string]any{"Name": "a-b", "No": false}, render.Options{})
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
		"partials/greeting.tmpl": file("hello"),
		"p/a.txt.tmpl":           file(`{{template "greeting"}} {{.}}`),
		"p/b.txt.tmpl":           file("built in"),
	}
	team := fstest.MapFS{
		"partials/greeting.tmpl": file("good day"),
		"p/b.txt.tmpl":           file("team"),
		"p/c.txt.tmpl":           file("more"),
	}
	outputs, err := newSet(t, builtIn, team).Render("p", "Ada", render.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := texts(outputs)
	if got["a.txt"] != "good day Ada" || got["b.txt"] != "team" || got["c.txt"] != "more" {
		t.Errorf("rendered %v", got)
	}
}

func TestGoIsFormatted(t *testing.T) {
	outputs, err := newSet(t, fstest.MapFS{"p/x.go.tmpl": file("package   x\nfunc  F( ) { }")}).Render("p", nil, render.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := string(outputs[0].Data); got != "package x\n\nfunc F() {}\n" {
		t.Errorf("rendered %q", got)
	}
}

// Every case is a value that would change what a file means if it were put there as it is.
// The formatter is put together here, from the parts that format.Source is made of.
func TestGoIsFormattedAsGofmtDoes(t *testing.T) {
	const raw = "// Package p.\npackage p\nimport (\n\"os\"\n  \"fmt\" // says\n\n\"io\"\n \"io\"\n)\nimport \"errors\"\n" +
		"const ( a=0XFF;bcd = 0B1_0 + 1E3\n e= 0O17\n)\n\n\n\ntype   t struct{a int `x:\"y\"`; bb,c   string // b\n}\nfunc f( ) {if a==1&&bcd>2 {;}\n/* x\n y */ }\n"
	want, err := format.Source([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	got, err := render.Source("x.go", raw, nil)
	if err != nil || string(got) != string(want) {
		t.Errorf("got %v\n%s\nwant\n%s", err, got, want)
	}
}

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
			_, err := newSet(t, fstest.MapFS{"p/" + c.target + ".tmpl": file(c.template)}).Render("p", c.value, render.Options{})
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
		if _, err := newSet(t, fstest.MapFS{"p/x.go.tmpl": file("package x\n\n// {{.}} is.\nvar _ = 1\n")}).Render("p", value, render.Options{}); err != nil {
			t.Errorf("%q: %v", value, err)
		}
	}
}

// Code is trusted to be Go, but still cannot bring a directive: what it is made of may come from elsewhere.
func TestCodeBringsNoDirective(t *testing.T) {
	s := newSet(t, fstest.MapFS{"p/x.go.tmpl": file("package x\n\n//go:generate own\n{{.}}\n")})
	for _, code := range []render.Code{"//go:embed x\nvar X string", "//go:linkname a b", "//line x.go:1", "import \"C\"", "//export F", "//nolint:all"} {
		if _, err := s.Render("p", code, render.Options{}); err == nil {
			t.Errorf("%q passed", code)
		}
	}
	if _, err := s.Render("p", render.Code("func F() {}"), render.Options{}); err != nil {
		t.Error(err)
	}
}

func TestComment(t *testing.T) {
	s := newSet(t, fstest.MapFS{"p/x.go.tmpl": file("{{comment .}}\npackage x\n")})
	for _, text := range []string{"go:generate sh", "+build ignore", "a\ngo:build ignore\n\n+build x", "a\r+build x", "line x.go:1", "\u202e*/ x"} {
		outputs, err := s.Render("p", text, render.Options{})
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
			_, err := newSet(t, fstest.MapFS{"p/x.go.tmpl": file(c.text)}).Render("p", data, render.Options{})
			var fault *render.Error
			if !errors.As(err, &fault) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "p/x.go.tmpl") {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
	t.Run("all at once", func(t *testing.T) {
		_, err := newSet(t, fstest.MapFS{"p/a.tmpl": file("{{.A}}"), "p/b.tmpl": file("{{.B}}")}).Render("p", map[string]any{}, render.Options{})
		if err == nil || !strings.Contains(err.Error(), "a.tmpl") || !strings.Contains(err.Error(), "b.tmpl") {
			t.Errorf("error %v, want both", err)
		}
	})
}

func TestLinksAreRefused(t *testing.T) {
	link := &fstest.MapFile{Data: []byte("/etc/passwd"), Mode: 0o777 | 1<<27} // fs.ModeSymlink
	if _, err := render.Read(fstest.MapFS{"p/x.tmpl": link}); err == nil {
		t.Error("a symbolic link was taken for a template")
	}
}

func FuzzHostileValue(f *testing.F) {
	f.Add("x\n//go:generate sh")
	f.Add("T struct{}; type U")
	f.Add("a/*line x:1*/")
	set := newSet(f, fstest.MapFS{"p/x.go.tmpl": file("package x\n\n// {{.}} is.\ntype T_{{.}} int\n")})
	f.Fuzz(func(t *testing.T, value string) {
		outputs, err := set.Render("p", value, render.Options{})
		if err != nil {
			return
		}
		text := string(outputs[0].Data)
		if strings.Contains(text, "//go:") || strings.Count(text, "type ") != 1+strings.Count(value, "type ")*2 {
			t.Errorf("%q changed the file:\n%s", value, text)
		}
	})
}

func TestBlocks(t *testing.T) {
	builtIn := fstest.MapFS{
		"partials/ci.tmpl": file(`{{block "ci.steps" .}}test{{end}}`),
		"p/README.md.tmpl": file("# {{block \"readme.title\" .}}{{.Name}}{{end}}\n{{block \"readme.more\" .}}built in{{end}}\n"),
		"p/ci.yml.tmpl":    file("steps: {{template \"ci\" .}}\n"),
	}
	team := fstest.MapFS{
		"partials/ci.tmpl": file(`{{define "ci.steps"}}lint, test{{end}}`),
		"p/README.md.tmpl": file("{{/* one paragraph alone */}}\n{{define \"readme.more\"}}ours: {{.Name}}{{end}}\n"),
	}
	project := fstest.MapFS{"p/README.md.tmpl": file(`{{define "readme.title"}}The {{.Name}}{{end}}`)}
	outputs, err := newSet(t, builtIn, team, project).Render("p", map[string]any{"Name": "x"}, render.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"README.md": "# The x\nours: x\n", "ci.yml": "steps: lint, test\n"}
	for path, text := range want {
		if got := texts(outputs)[path]; got != text {
			t.Errorf("%s = %q, want %q", path, got, text)
		}
	}
	for _, o := range outputs {
		if o.Path == "README.md" && strings.Join(o.Layers, " ") != "built-in team project" {
			t.Errorf("layers %q", o.Layers)
		}
	}
}

// TestBlockFaults are changes that would silently change nothing, and faults in what changes.
func TestBlockFaults(t *testing.T) {
	builtIn := fstest.MapFS{"p/a.md.tmpl": file(`{{block "a.x" .}}x{{end}}`)}
	cases := map[string]struct {
		team fstest.MapFS
		want string
	}{
		"no such block":       {fstest.MapFS{"p/a.md.tmpl": file(`{{define "a.y"}}y{{end}}`)}, `team/p/a.md.tmpl: it defines the block "a.y", which the file that it changes does not have; there are: a.x`},
		"no such file":        {fstest.MapFS{"p/b.md.tmpl": file(`{{define "a.x"}}y{{end}}`)}, "team/p/b.md.tmpl: it has definitions alone"},
		"a key in a block":    {fstest.MapFS{"p/a.md.tmpl": file("\n{{define \"a.x\"}}\n {{.Nobody}}{{end}}")}, "team/p/a.md.tmpl:3:4: "},
		"syntax in a block":   {fstest.MapFS{"p/a.md.tmpl": file("{{define \"a.x\"}}\n {{nobody}}{{end}}")}, `team/p/a.md.tmpl:2:4: function "nobody" not defined`},
		"one name twice":      {fstest.MapFS{"p/a.md.tmpl": file(`{{template "q"}}`), "partials/q.tmpl": file("q"), "partials/x/q.tmpl": file("q")}, `team/partials/x/q.tmpl: it is called "q", as partials/q.tmpl is`},
		"syntax in a partial": {fstest.MapFS{"p/a.md.tmpl": file(`{{template "q"}}`), "partials/q.tmpl": file("\n {{if}}{{end}}")}, "team/partials/q.tmpl:2:2: "},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := newSet(t, builtIn, c.team).Render("p", map[string]any{}, render.Options{})
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
}

// TestErrorsAreHarmless: what a template says is repeated in errors, and moves no cursor there.
func TestErrorsAreHarmless(t *testing.T) {
	for _, text := range []string{"{{index .L `\x1b[2J`}}", "{{template \"\x1b[2J\"}}", "{{`\x1b[2J` | nobody}}", "{{.L | printf `\u202e` | quote | len | index .L}}"} {
		_, err := newSet(t, fstest.MapFS{"p/x.txt.tmpl": file(text)}).Render("p", map[string]any{"L": []string{"a"}}, render.Options{})
		if err == nil || strings.ContainsAny(err.Error(), "\x1b\u202e") {
			t.Errorf("%q: error %q", text, err)
		}
	}
}

// TestEndless are templates that print nothing and would not come to an end.
func TestEndless(t *testing.T) {
	for name, text := range map[string]string{
		"a loop in a loop":    `{{range 100000}}{{range 100000}}{{end}}{{end}}`,
		"calls of each other": `{{define "a"}}{{template "a"}}{{template "a"}}{{end}}{{template "a"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := newSet(t, fstest.MapFS{"p/x.txt.tmpl": file(text)}).Render("p", nil, render.Options{}); err == nil {
				t.Error("it came to an end")
			}
		})
	}
}

// TestFunctions looks at every function once: what is let in is a decision.
func TestFunctions(t *testing.T) {
	cases := map[string]string{
		`{{add 1 2}}`: "3", `{{camelcase "a_b"}}`: "AB", `{{coalesce "" "b"}}`: "b", `{{contains "b" "abc"}}`: "true", `{{default "x" ""}}`: "x",
		`{{empty ""}}`: "true", `{{first .L}}`: "b", `{{has "a" .L}}`: "true", `{{hasPrefix "a" "ab"}}`: "true", `{{hasSuffix "b" "ab"}}`: "true",
		`{{kebabcase "aB"}}`: "a-b", `{{last .L}}`: "b", `{{nospace "a b"}}`: "ab", `{{replace "a" "b" "aa"}}`: "bb", `{{snakecase "aB"}}`: "a_b",
		`{{range sortAlpha .L}}{{.}}{{end}}`: "abb", `{{range splitList "," "a,b"}}{{.}}{{end}}`: "ab", `{{squote "a"}}`: "'a'", `{{sub 3 1}}`: "2",
		`{{ternary "a" "b" true}}`: "a", `{{trim " a "}}`: "a", `{{trimAll "-" "-a-"}}`: "a", `{{trimPrefix "a" "ab"}}`: "b", `{{trimSuffix "b" "ab"}}`: "a",
		`{{trunc 1 "ab"}}`: "a", `{{range uniq .L}}{{.}}{{end}}`: "ba", `{{range without .L "b"}}{{.}}{{end}}`: "a",
		`{{quote "a"}}`: `"a"`, `{{comment "a\nb"}}`: "# a\n# b", `{{lower "A"}}`: "a", `{{upper "a"}}`: "A", `{{join "," .L}}`: "b,a,b",
	}
	used := strings.Join(slices.Collect(maps.Keys(cases)), " ")
	for _, name := range render.Functions() {
		if !strings.Contains(used, "{{"+name+" ") && !strings.Contains(used, "{{range "+name+" ") {
			t.Errorf("there is no case for %s", name)
		}
	}
	for text, want := range cases {
		outputs, err := newSet(t, fstest.MapFS{"p/x.txt.tmpl": file(text)}).Render("p", map[string]any{"L": []string{"b", "a", "b"}}, render.Options{})
		if err != nil || string(outputs[0].Data) != want {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	for _, name := range []string{"now", "env", "expandenv", "date", "uuidv4", "randAlpha", "shuffle", "genPrivateKey", "keys", "getHostByName", "repeat", "ago"} {
		if slices.Contains(render.Functions(), name) || render.Refused(name) == "" {
			t.Errorf("%s is not refused", name)
		}
	}
}

func TestRules(t *testing.T) {
	layer := render.Layer{Name: "team", Files: map[string][]byte{
		"p/OWNERS.tmpl": []byte("{{.Name}}"), "p/run.sh": []byte("#!/bin/sh\n"), "p/ci/a.tmpl": []byte("a"), "p/ci/b.tmpl": []byte("b"),
	}, Rules: []render.Rule{
		{Pattern: "p/OWNERS.tmpl", Rename: render.Expression{Text: ".github/{{.Name}}"}},
		{Pattern: "p/*.sh", Mode: 0o755, Policy: "generated"},
		{Pattern: "p/ci/**", When: render.Expression{Text: "false"}},
		{Pattern: "p/ci/b.tmpl", When: render.Expression{Text: `eq .Name "x"`}},
	}}
	outputs, err := render.NewSet(layer).Render("p", map[string]any{"Name": "x"}, render.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := texts(outputs)
	if len(got) != 3 || got[".github/x"] != "x" || got["ci/b"] != "b" {
		t.Errorf("rendered %v", got)
	}
	for _, o := range outputs {
		if o.Path == "run.sh" && (o.Mode != 0o755 || o.Policy != "generated") {
			t.Errorf("run.sh: mode %o, policy %q", o.Mode, o.Policy)
		}
	}
	bad := render.Expression{Text: ".Nobody", File: "template.yaml", Line: 12, Column: 3}
	if _, err := bad.True(map[string]any{}); err == nil || !strings.HasPrefix(err.Error(), "template.yaml:12:3: ") {
		t.Errorf("error %v, want the place in the manifest", err)
	}
}

// TestQuoteAndComment are values that quotes do not make harmless everywhere.
func TestQuoteAndComment(t *testing.T) {
	for target, values := range map[string][]string{
		"ci.yml": {"${{ secrets.X }}", `a"b`, "`x`", `\x`}, "Makefile": {"$(shell x)", "a;b"}, "run.sh": {"$(x)", "a`b`"},
	} {
		for _, value := range values {
			if _, err := newSet(t, fstest.MapFS{"p/" + target + ".tmpl": file("{{quote .}}")}).Render("p", value, render.Options{}); err == nil {
				t.Errorf("%s: quote let %q pass", target, value)
			}
		}
	}
	outputs, err := newSet(t, fstest.MapFS{"p/Makefile.tmpl": file("{{comment .}}\nall:\n")}).Render("p", "a \\\n\trm -rf / \\", render.Options{})
	if err != nil || string(outputs[0].Data) != "# a\n# \trm -rf /\nall:\n" {
		t.Errorf("comment: %q, %v", outputs[0].Data, err)
	}
}
