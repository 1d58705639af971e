package render

import (
	"fmt"
	"path"
	"reflect"
	"strconv"
	"strings"
	"text/template"
	"text/template/parse"
	"unicode"
	"unicode/utf8"
)

// Code is text that goes into a file as it is, newlines included: source that Go code computed. Every other string
// may only hold what cannot change the structure of the file that it is put into.
type Code string

// functions is the whole list that templates may use besides text/template's own. Each is a pure function.
func functions() template.FuncMap {
	return template.FuncMap{
		"quote":   func(s string) Code { return Code(strconv.Quote(s)) },
		"comment": comment,
		"lower":   strings.ToLower,
		"upper":   strings.ToUpper,
		"join":    func(separator string, list []string) string { return strings.Join(list, separator) },
	}
}

// comment makes every line of text a comment. The blank after the slashes is what keeps a line from being a directive,
// but "// +build" is one with a blank.
func comment(text string) Code {
	var b strings.Builder
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		line = strings.TrimRight(printable(line), " ")
		if strings.HasPrefix(strings.TrimLeft(line, " \t"), "+build") {
			line = "'" + strings.TrimLeft(line, " \t")
		}
		b.WriteString(strings.TrimRight("// "+line, " ") + "\n")
	}
	return Code(strings.TrimSuffix(b.String(), "\n"))
}

// printable drops what would show as something else than it is.
func printable(line string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return -1
	}, line)
}

const guardName = "_guard"

// guardAll makes every action of every template end in the guard, as if its author had written "| _guard".
func guardAll(t *template.Template) {
	for _, each := range t.Templates() {
		if each.Tree != nil && each.Root != nil {
			guardList(each.Tree, each.Root)
		}
	}
}

func guardList(tree *parse.Tree, list *parse.ListNode) {
	if list == nil {
		return
	}
	for _, node := range list.Nodes {
		switch n := node.(type) {
		case *parse.ActionNode:
			if len(n.Pipe.Decl) == 0 {
				n.Pipe.Cmds = append(n.Pipe.Cmds, &parse.CommandNode{
					NodeType: parse.NodeCommand,
					Pos:      n.Pos,
					Args:     []parse.Node{parse.NewIdentifier(guardName).SetTree(tree).SetPos(n.Pos)},
				})
			}
		case *parse.IfNode:
			guardBranch(tree, &n.BranchNode)
		case *parse.RangeNode:
			guardBranch(tree, &n.BranchNode)
		case *parse.WithNode:
			guardBranch(tree, &n.BranchNode)
		}
	}
}

func guardBranch(tree *parse.Tree, n *parse.BranchNode) {
	guardList(tree, n.List)
	guardList(tree, n.ElseList)
}

// guardFor returns the guard for a file named target.
func guardFor(target string) func(any) (any, error) {
	allowed := inConfig
	switch path.Ext(target) {
	case ".go":
		allowed = inGo
	case ".md", ".txt":
		allowed = inText
	}
	return func(value any) (any, error) { return value, guard(value, allowed) }
}

func guard(value any, allowed func(rune) bool) error {
	if _, ok := value.(Code); ok {
		return nil
	}
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.String:
		return guardText(v.String(), allowed)
	case reflect.Bool, reflect.Int, reflect.Int64, reflect.Uint, reflect.Uint64:
		return nil
	default:
		return fmt.Errorf("a %T cannot be printed: text and whole numbers can", value)
	}
}

func guardText(text string, allowed func(rune) bool) error {
	if !utf8.ValidString(text) {
		return fmt.Errorf("%+q is not valid UTF-8", text)
	}
	if strings.Contains(text, "//") || strings.Contains(text, "/*") {
		return fmt.Errorf("%+q could start a comment", text)
	}
	for _, r := range text {
		if !allowed(r) {
			return fmt.Errorf("%+q has a %+q, which could change what the file means", text, r)
		}
	}
	return nil
}

// inGo: names, import paths, simple types. A comment cannot start with these, a string or statement cannot end.
func inGo(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(" _.-*[],~@+", r) || r == '/'
}

// inConfig: nothing that make, a shell or YAML would act on.
func inConfig(r rune) bool {
	return r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)) || strings.ContainsRune(" _./-+@,=", r)
}

func inText(r rune) bool { return unicode.IsPrint(r) }
