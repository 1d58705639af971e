// Package docs holds the documents to what is there: tests that they name exist, and links lead somewhere.
package docs

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// root is the repository.
const root = "../.."

// citation is a test as documents name it: `folder.TestName`, or `folder.TestName/row N fault` for a row of a table.
var citation = regexp.MustCompile("`([a-z][a-z0-9_/]*)\\.((?:Test|Fuzz|Example|Benchmark)[A-Za-z0-9_]*)(?:/row ([0-9]+) ([a-z0-9-]+))?`")

// TestNamedTestsExist looks for every test that a document names.
func TestNamedTestsExist(t *testing.T) {
	cache := map[string]*suite{}
	for _, name := range documents(t) {
		text := read(t, name)
		for _, m := range citation.FindAllStringSubmatch(text, -1) {
			s := cache[m[1]]
			if s == nil {
				s = parseTests(t, m[1])
				cache[m[1]] = s
			}
			s.check(t, name, m)
		}
	}
	if len(cache) == 0 {
		t.Error("no document names a test: has the way to name them changed?")
	}
}

// TestEveryFaultHasARow is the table's other half: no row is missing, and one without a test says so.
func TestEveryFaultHasARow(t *testing.T) {
	const lastFault = 42
	rows := faultRows(t)
	for n := 1; n <= lastFault; n++ {
		row, ok := rows[n]
		if !ok {
			t.Errorf("FAULTS.md has no row %d", n)
			continue
		}
		if !citation.MatchString(row) && !strings.Contains(row, "**no test**") {
			t.Errorf("row %d of FAULTS.md names no test and does not say so", n)
		}
		for _, m := range citation.FindAllStringSubmatch(row, -1) {
			if m[3] != "" && m[3] != strconv.Itoa(n) && n != 39 { // a kill from outside is a want of memory, too
				t.Errorf("row %d of FAULTS.md names the test of row %s", n, m[3])
			}
		}
	}
}

func faultRows(t *testing.T) map[int]string {
	t.Helper()
	rows := map[int]string{}
	for line := range strings.Lines(read(t, "runtime/FAULTS.md")) {
		number, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " |")
		if n, err := strconv.Atoi(number); err == nil {
			if _, twice := rows[n]; twice {
				t.Errorf("FAULTS.md has two rows %d", n)
			}
			rows[n] = line
		}
	}
	return rows
}

// suite is what a folder's tests are called.
type suite struct {
	functions map[string]bool
	rows      map[string]bool // "row N fault", from table entries with these two fields
}

func (s *suite) check(t *testing.T, document string, m []string) {
	t.Helper()
	if !s.functions[m[2]] {
		t.Errorf("%s names %s.%s, which does not exist", document, m[1], m[2])
	}
	if m[3] != "" && !s.rows["row "+m[3]+" "+m[4]] {
		t.Errorf("%s names %s.%s/row %s %s: no table of that folder has such a row", document, m[1], m[2], m[3], m[4])
	}
}

func parseTests(t *testing.T, folder string) *suite {
	t.Helper()
	s := &suite{functions: map[string]bool{}, rows: map[string]bool{}}
	files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(folder), "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, s.visit)
	}
	return s
}

func (s *suite) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.FuncDecl:
		if n.Recv == nil {
			s.functions[n.Name.Name] = true
		}
	case *ast.CompositeLit:
		if row, fault := field(n, "row"), field(n, "fault"); row != "" && fault != "" {
			s.rows["row "+row+" "+fault] = true
		}
	}
	return true
}

// field is the text of a field of a literal; empty when it has none, or not as a text.
func field(lit *ast.CompositeLit, name string) string {
	for _, e := range lit.Elts {
		pair, ok := e.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		key, _ := pair.Key.(*ast.Ident)
		value, _ := pair.Value.(*ast.BasicLit)
		if key != nil && value != nil && key.Name == name {
			text, _ := strconv.Unquote(value.Value) // what is no text is none
			return text
		}
	}
	return ""
}

// link is what follows a text in brackets, up to a title or the end.
var link = regexp.MustCompile(`\]\(([^)\s]+)[^)]*\)`)

// TestLinks follows the links that stay in the repository, to the heading where they name one.
func TestLinks(t *testing.T) {
	seen := 0
	for _, name := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(withoutCode(read(t, name)), -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			seen++
			if err := follow(t, name, m[1]); err != nil {
				t.Errorf("%s links to %s: %v", name, m[1], err)
			}
		}
	}
	if seen == 0 {
		t.Error("no document has a link: has the way to write them changed?")
	}
}

func follow(t *testing.T, from, target string) error {
	t.Helper()
	file, heading, _ := strings.Cut(target, "#")
	if file == "" {
		file = from
	} else {
		file = filepath.Join(filepath.Dir(from), filepath.FromSlash(file))
	}
	if !filepath.IsLocal(file) {
		return errors.New("it leads out of the repository")
	}
	if _, err := os.Stat(filepath.Join(root, file)); err != nil {
		return errors.New("there is no such file")
	}
	if heading != "" && !slices.Contains(headings(read(t, file)), heading) {
		return errors.New("there is no such heading")
	}
	return nil
}

// headings are the anchors that a forge makes of a document's headings.
func headings(text string) []string {
	var all []string
	for line := range strings.Lines(withoutCode(text)) {
		title := strings.TrimLeft(line, "#")
		if title == line || !strings.HasPrefix(title, " ") {
			continue
		}
		all = append(all, anchor(strings.TrimSpace(title)))
	}
	return all
}

func anchor(title string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-', r == '_', r >= '0' && r <= '9', r >= 'a' && r <= 'z', r > 127:
			return r
		default:
			return -1
		}
	}, strings.ToLower(title))
}

// withoutCode leaves out fenced blocks: what looks like a link there is none.
func withoutCode(text string) string {
	var b strings.Builder
	fenced := false
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
		} else if !fenced {
			b.WriteString(line)
		}
	}
	return b.String()
}

// documents are the Markdown files of the repository, without what tests and package managers put there.
func documents(t *testing.T) []string {
	t.Helper()
	var found []string
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && slices.Contains([]string{".git", "testdata", "node_modules", "bin"}, entry.Name()) {
			return fs.SkipDir
		}
		if !entry.IsDir() && filepath.Ext(name) == ".md" {
			found = append(found, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
