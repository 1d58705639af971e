package generator_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/mod/module"

	"github.com/plugingen/plugingen/generator"
	"github.com/plugingen/plugingen/generator/tree"
)

const bareManifest = "schema: 1\nname: x\nkinds: [plugin, contract, partials]\n"

// newTeamSet writes a set: a manifest that starts with bareManifest, and files.
func newTeamSet(t testing.TB, manifest string, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "set")
	put(t, filepath.Join(dir, "template.yaml"), bareManifest+manifest)
	for name, text := range files {
		put(t, filepath.Join(dir, filepath.FromSlash(name)), text)
	}
	return dir
}

func put(t testing.TB, name, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// released spares the tests a look for a checkout.
func released() generator.Runtime { return generator.Runtime{Version: "v0.1.0", Sum: "h1:"} }

func fromSet(t *testing.T, set, dir string, answers map[string]any) (*generator.Project, error) {
	t.Helper()
	return generator.Plugin(t.Context(), generator.ProjectRequest{Name: "x", Dir: dir, Template: set, Answers: answers, Runtime: released()})
}

// TestWaysOut are sets and answers that would write outside of the project, or where git or the system would act on it.
func TestWaysOut(t *testing.T) {
	file := map[string]string{"plugin/x.tmpl": "x"}
	rename := func(to string) string {
		return "variables:\n  p: {type: string}\nfiles:\n  plugin/x.tmpl: {rename: '" + to + "'}\n"
	}
	cases := map[string]struct {
		manifest string
		files    map[string]string
		answer   string
	}{
		"renamed out":                {rename("../x"), file, ""},
		"renamed out in the middle":  {rename("a/../../x"), file, ""},
		"renamed to an absolute":     {rename("/etc/x"), file, ""},
		"renamed to a drive":         {rename("C:x"), file, ""},
		"renamed with backslashes":   {rename(`..\x`), file, ""},
		"renamed to a hook":          {rename(".git/hooks/pre-commit"), file, ""},
		"renamed to a hook, in case": {rename(".GIT/hooks/pre-commit"), file, ""},
		"renamed to a short name":    {rename("git~1/hooks/pre-commit"), file, ""},
		"renamed to a device":        {rename("con"), file, ""},
		"renamed to an option":       {rename("-rf"), file, ""},
		"an answer leads out":        {rename("{{.Vars.p}}"), file, "../x"},
		"an answer is absolute":      {rename("{{.Vars.p}}"), file, "/etc/x"},
		"an answer is a hook":        {rename("{{.Vars.p}}"), file, ".git/config"},
		"a name leads out":           {"variables:\n  p: {type: string}\n", map[string]string{"plugin/{{.Vars.p}}/x.tmpl": "x"}, ".."},
		"a name has a separator":     {"variables:\n  p: {type: string}\n", map[string]string{"plugin/{{.Vars.p}}.tmpl": "x"}, "../../x"},
		"dot_ makes two dots":        {"", map[string]string{"plugin/dot_./x.tmpl": "x"}, ""},
		"a contract leads out":       {"files:\n  contract/starter/x.go.tmpl: {rename: ../../x.go}\n", map[string]string{"contract/starter/x.go.tmpl": "package greeter\n"}, ""},
		"two names that are one":     {"", map[string]string{"plugin/readme.md.tmpl": "x"}, ""},
		"a file and a folder":        {"", map[string]string{"plugin/main.go/x.tmpl": "x"}, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			answers := map[string]any{}
			if strings.Contains(c.manifest, "variables:") {
				answers["p"] = c.answer
			}
			p, err := fromSet(t, newTeamSet(t, c.manifest, c.files), t.TempDir(), answers)
			if err == nil {
				t.Fatalf("it made %d files", p.Tree.Len())
			}
			if !errors.Is(err, tree.ErrName) && !errors.Is(err, generator.ErrInput) {
				t.Errorf("error %v, want ErrName or ErrInput", err)
			}
		})
	}
}

// TestLinksInTheTarget: what lies in the project's folder already must not lead a set's files elsewhere.
func TestLinksInTheTarget(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need a privilege there")
	}
	set := newTeamSet(t, "", map[string]string{"plugin/docs/x.md.tmpl": "x"})
	outside := t.TempDir()
	for name, at := range map[string]string{"a folder": "docs", "a file": "docs/x.md"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			link := filepath.Join(dir, filepath.FromSlash(at))
			if err := errors.Join(os.MkdirAll(filepath.Dir(link), 0o755), os.Symlink(outside, link)); err != nil {
				t.Fatal(err)
			}
			p, err := fromSet(t, set, dir, nil)
			if err != nil {
				t.Fatal(err)
			}
			plan, err := p.Tree.Plan(dir)
			if err != nil {
				t.Fatal(err)
			}
			if err := plan.Commit(tree.CommitOptions{Force: true}); !errors.Is(err, tree.ErrConflict) {
				t.Errorf("Commit: %v, want ErrConflict", err)
			}
			if entries, err := os.ReadDir(outside); err != nil || len(entries) > 0 {
				t.Errorf("outside: %v, %v", entries, err)
			}
		})
	}
}

// TestNothingRuns: functions that reach out are not there, whatever a set says.
func TestNothingRuns(t *testing.T) {
	for _, action := range []string{
		`{{env "HOME"}}`, `{{expandenv "$HOME"}}`, `{{getHostByName "example.com"}}`, `{{now}}`, `{{randAlpha 3}}`, `{{genPrivateKey "rsa"}}`, `{{osBase "x"}}`,
		`{{readFile "/etc/passwd"}}`, `{{include "x"}}`, `{{tpl "x" .}}`, `{{call .Name}}`, `{{.Self.Foo}}`, `{{.Vars.Foo.Bar}}`, `{{.Name.String}}`, `{{repeat 1000000000 "x"}}`,
		`{{template "/etc/passwd"}}`, `{{template "../partials/x"}}`,
	} {
		for _, at := range []string{"plugin/x.txt.tmpl", "partials/ci.tmpl", "contract/starter/x.txt.tmpl"} {
			if _, err := fromSet(t, newTeamSet(t, "", map[string]string{at: action}), t.TempDir(), nil); !errors.Is(err, generator.ErrInput) {
				t.Errorf("%s in %s: %v, want ErrInput", action, at, err)
			}
		}
	}
}

// TestApprove: nothing of a module is used that nobody approved of, and a folder cannot bring one in unseen.
func TestApprove(t *testing.T) {
	proxy := t.TempDir()
	set := newTeamSet(t, "", map[string]string{"go.mod": "module corp.example/tpl\n", "plugin/Makefile.tmpl": "all:\n"})
	publish(t, proxy, set, module.Version{Path: "corp.example/tpl", Version: "v1.0.0"})
	env := append(os.Environ(), "GOPROXY=file://"+filepath.ToSlash(proxy), "GOSUMDB=off", "GOFLAGS=-modcacherw", "GOMODCACHE="+filepath.Join(t.TempDir(), "mod"))
	local := newTeamSet(t, "extends: corp.example/tpl@v1.0.0\n", nil)
	for name, reference := range map[string]string{"a module": "corp.example/tpl@v1.0.0", "a folder that extends it": local} {
		t.Run(name, func(t *testing.T) {
			req := generator.ProjectRequest{Name: "x", Dir: t.TempDir(), Template: reference, Runtime: released(), Env: env}
			if _, err := generator.Plugin(t.Context(), req); !errors.Is(err, generator.ErrUntrusted) {
				t.Errorf("nobody approves: %v, want ErrUntrusted", err)
			}
			refused := errors.New("no")
			req.Approve = func(generator.TemplateReview) error { return refused }
			if _, err := generator.Plugin(t.Context(), req); !errors.Is(err, refused) {
				t.Errorf("it is refused: %v", err)
			}
			var seen generator.TemplateReview
			req.Approve = func(r generator.TemplateReview) error { seen = r; return nil }
			if _, err := generator.Plugin(t.Context(), req); err != nil {
				t.Fatal(err)
			}
			if seen.Origin != "corp.example/tpl" || seen.Version != "v1.0.0" || seen.Files != 3 || len(seen.Runs) != 1 || !strings.HasPrefix(seen.Hash, "h1:") {
				t.Errorf("review %+v", seen)
			}
		})
	}
}

// FuzzAnswers gives hostile values to a set whose files are of every kind: what comes out stays inside, parses, and declares only
// what the templates declare.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		"plain", "../../x", "a\n//go:generate sh", "T struct{}; func init(){}; type U", "$(shell x)", "${{ secrets.X }}", "`x`", "\"; func init() {}; const b = \"", "a/*line x:1*/", "\u202e", ".git",
	} {
		f.Add(seed, seed)
	}
	set := newTeamSet(f, "variables:\n  v: {type: string}\n  w: {type: string}\nfiles:\n  plugin/named.txt.tmpl: {rename: 'docs/{{.Vars.w}}'}\n", map[string]string{
		"plugin/more.go.tmpl":          "package main\n\n// {{.Vars.v}} is a word, and so is {{.Vars.v}}.\nconst word = {{quote .Vars.v}}\n\n{{comment .Vars.v}}\nvar other = \"{{.Vars.v}}\"\n",
		"plugin/more.mk.tmpl":          "{{comment .Vars.v}}\nword := {{.Vars.v}}\n",
		"plugin/more.yml.tmpl":         "word: {{quote .Vars.v}}\nother: {{.Vars.w}}\n",
		"plugin/more.md.tmpl":          "# {{.Vars.v}}\n",
		"plugin/named.txt.tmpl":        "x",
		"plugin/{{.Vars.w}}/deep.tmpl": "x",
	})
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, v, w string) {
		p, err := fromSet(t, set, dir, map[string]any{"v": v, "w": w})
		if err != nil {
			if !errors.Is(err, generator.ErrInput) && !errors.Is(err, tree.ErrName) {
				t.Errorf("%q, %q: error %v", v, w, err)
			}
			return
		}
		for _, file := range p.Tree.Files() {
			if err := tree.CheckName(file.Path); err != nil {
				t.Errorf("%q: %v", w, err)
			}
		}
		checkDeclarations(t, p.Tree)
		if file, found := p.Tree.File("more.mk"); !found || strings.Contains(string(file.Data), "$(") || strings.Count(string(file.Data), "\n") != 2 {
			t.Errorf("%q changed the Makefile:\n%s", v, file.Data)
		}
		if file, found := p.Tree.File("more.yml"); !found || strings.Contains(string(file.Data), "${{") || strings.Count(string(file.Data), "\n") != 2 {
			t.Errorf("%q changed the workflow:\n%s", v, file.Data)
		}
	})
}

// checkDeclarations holds more.go to the two declarations, and the comments, that its template has.
func checkDeclarations(t *testing.T, made *tree.Tree) {
	t.Helper()
	file, found := made.File("more.go")
	if !found {
		t.Fatal("there is no more.go")
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), "more.go", file.Data, parser.ParseComments)
	if err != nil {
		t.Fatalf("%v\n%s", err, file.Data)
	}
	if len(parsed.Decls) != 2 || len(parsed.Imports) != 0 {
		t.Errorf("it declares more than its template:\n%s", file.Data)
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		if c, ok := n.(*ast.Comment); ok && (strings.HasPrefix(c.Text, "//go:") || strings.HasPrefix(c.Text, "//line") || strings.HasPrefix(c.Text, "/*")) {
			t.Errorf("it has the directive %q", c.Text)
		}
		return true
	})
}
