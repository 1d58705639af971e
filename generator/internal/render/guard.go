package render

import (
	"fmt"
	"path"
	"reflect"
	"strings"
	"text/template"
	"text/template/parse"
	"unicode"
	"unicode/utf8"
)

// Code is text that goes into a file as it is, newlines included: source that Go code computed. Every other string
// may only hold what cannot change the structure of the file that it is put into.
type Code string

// printable drops what would show as something else than it is.
func printable(line string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return -1
	}, line)
}

const (
	guardName = "_guard"
	stepName  = "_step"
)

// maxSteps bounds the rounds of loops and the calls of templates in one file: a loop may print nothing and yet never end.
const maxSteps = 1 << 18

// guards are the functions that guardAll puts into templates.
func guards(target string) template.FuncMap {
	steps := 0
	return template.FuncMap{
		guardName: guardFor(target),
		stepName: func() (string, error) {
			if steps++; steps > maxSteps {
				return "", fmt.Errorf("more than %d rounds of loops", maxSteps)
			}
			return "", nil
		},
	}
}

// guardAll makes every action of every template end in the guard, as if its author had written "| _guard", and every
// template and every round of a loop start with a step. Trees in done have it all already.
func guardAll(t *template.Template, done map[string]*parse.Tree) {
	for _, each := range t.Templates() {
		if each.Tree != nil && each.Root != nil && done[each.Name()] != each.Tree {
			guardList(each.Tree, each.Root)
			addStep(each.Tree, each.Root)
		}
	}
}

func addStep(tree *parse.Tree, list *parse.ListNode) {
	command := &parse.CommandNode{
		NodeType: parse.NodeCommand,
		Pos:      list.Pos,
		Args:     []parse.Node{parse.NewIdentifier(stepName).SetTree(tree).SetPos(list.Pos)},
	}
	pipe := &parse.PipeNode{NodeType: parse.NodePipe, Pos: list.Pos, Cmds: []*parse.CommandNode{command}}
	list.Nodes = append([]parse.Node{&parse.ActionNode{NodeType: parse.NodeAction, Pos: list.Pos, Pipe: pipe}}, list.Nodes...)
}

func guardList(tree *parse.Tree, list *parse.ListNode) {
	if list == nil {
		return
	}
	for _, node := range list.Nodes {
		switch n := node.(type) {
		case *parse.ActionNode:
			if len(n.Pipe.Decl) == 0 && !isLiteral(n.Pipe) {
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
			addStep(tree, n.List)
		case *parse.WithNode:
			guardBranch(tree, &n.BranchNode)
		}
	}
}

// isLiteral says whether an action prints what its author wrote there, such as {{"{{"}}.
func isLiteral(p *parse.PipeNode) bool {
	if len(p.Cmds) != 1 || len(p.Cmds[0].Args) != 1 {
		return false
	}
	_, ok := p.Cmds[0].Args[0].(*parse.StringNode)
	return ok
}

func guardBranch(tree *parse.Tree, n *parse.BranchNode) {
	guardList(tree, n.List)
	guardList(tree, n.ElseList)
}

// guardFor returns the guard for a file named target.
func guardFor(target string) func(any) (any, error) {
	allowed := allowedIn(target)
	return func(value any) (any, error) { return value, guard(value, allowed) }
}

// allowedIn is what text may be made of in the file named target.
func allowedIn(target string) func(rune) bool {
	switch path.Ext(target) {
	case ".go":
		return inGo
	case ".md", ".txt":
		return inText
	}
	return inConfig
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

// inQuotes: nothing that a workflow's expressions or a shell would act on, and nothing that ends the quotes.
func inQuotes(r rune) bool { return unicode.IsPrint(r) && !strings.ContainsRune("$`{}\\\"", r) }

func inText(r rune) bool { return unicode.IsPrint(r) }
