package render

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/scanner"
	"go/token"
	"regexp"
	"strings"
	"text/template"
	"text/template/parse"
)

// around is how many lines are shown on each side of a syntax error in rendered source.
const around = 3

// formatGo formats rendered source, and refuses directives that the template does not spell out itself.
func formatGo(t *template.Template, raw []byte) ([]byte, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "", raw, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, explain(raw, err)
	}
	if err := checkDirectives(file, literals(t)); err != nil {
		return nil, err
	}
	ast.SortImports(files, file)
	var formatted bytes.Buffer
	formatted.Grow(len(raw) + len(raw)/8)
	if err := goStyle().Fprint(&formatted, files, file); err != nil {
		return nil, fmt.Errorf("format the rendered Go source: %w", err)
	}
	return formatted.Bytes(), nil
}

// goStyle is how format.Source prints; that would parse once more. The last bit is the one by which go/format asks for plain
// numbers, 0xff for 0XFF; it has no name outside.
func goStyle() *printer.Config {
	return &printer.Config{Mode: printer.UseSpaces | printer.TabIndent | 1<<30, Tabwidth: 8}
}

// explain shows the rendered lines around a syntax error: the fault is the template's, and its author sees only these.
func explain(raw []byte, err error) error {
	var list scanner.ErrorList
	if !errors.As(err, &list) || len(list) == 0 {
		return fmt.Errorf("the rendered Go source does not parse: %w", err)
	}
	at := list[0].Pos.Line
	var b strings.Builder
	for i, line := range bytes.Split(raw, []byte("\n")) {
		if n := i + 1; n >= at-around && n <= at+around {
			fmt.Fprintf(&b, "\n%5d  %s", n, printable(string(line)))
		}
	}
	return fmt.Errorf("the rendered Go source does not parse: line %d: %s%s", at, list[0].Msg, b.String())
}

// directive matches comments that tools act on, up to the word that says which tool.
var directive = regexp.MustCompile(`^(//go:\w+|//[a-z0-9]+:\w+|//line\b|/\*line\b|// ?\+build\b|//export\b|//extern\b)`)

// harmlessMark begins directives that only say how values of a contract cross. Values still cannot hold them: only code that the
// generator computed does.
const harmlessMark = "//plugingen:"

func checkDirectives(file *ast.File, own string) error {
	for _, group := range file.Comments {
		for _, c := range group.List {
			if d := directive.FindString(c.Text); d != "" && !strings.Contains(own, d) && !strings.HasPrefix(d, harmlessMark) {
				return fmt.Errorf("a value brings in the directive %q", d)
			}
		}
	}
	for _, i := range file.Imports {
		if i.Path.Value == `"C"` && !strings.Contains(own, `"C"`) {
			return errors.New(`a value brings in import "C"`)
		}
	}
	return nil
}

// literals is all the text that the templates contain themselves.
func literals(t *template.Template) string {
	var b strings.Builder
	for _, each := range t.Templates() {
		if each.Tree != nil && each.Root != nil {
			collectText(&b, each.Root)
		}
	}
	return b.String()
}

func collectText(b *strings.Builder, list *parse.ListNode) {
	if list == nil {
		return
	}
	for _, node := range list.Nodes {
		switch n := node.(type) {
		case *parse.TextNode:
			b.Write(n.Text)
		case *parse.IfNode:
			collectBranch(b, &n.BranchNode)
		case *parse.RangeNode:
			collectBranch(b, &n.BranchNode)
		case *parse.WithNode:
			collectBranch(b, &n.BranchNode)
		}
	}
}

func collectBranch(b *strings.Builder, n *parse.BranchNode) {
	collectText(b, n.List)
	collectText(b, n.ElseList)
}
