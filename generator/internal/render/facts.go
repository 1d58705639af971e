package render

import (
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
	"unicode/utf8"
)

// Use is a place where a template uses a name.
type Use struct {
	File         string // as in errors
	Line, Column int
	Name         string
}

// Facts are what a template says without being rendered.
type Facts struct {
	// Vars are the uses of .Vars.NAME. All is set when .Vars is used as a whole, which may use every name.
	Vars []Use
	All  bool
	// Calls are the names in {{template}} and {{block}}.
	Calls []Use
	// Blocks are the names that are defined, by {{define}} or {{block}}, sorted.
	Blocks []string
}

// Facts looks at the file name as the layer has it. The error is an *Error.
func (s *Set) Facts(name, layer string) (Facts, error) {
	var f Facts
	i := slices.IndexFunc(s.versions[name], func(v version) bool { return v.layer == layer })
	if i < 0 || !strings.HasSuffix(name, suffix) {
		return f, nil
	}
	v := s.versions[name][i]
	for part := range strings.SplitSeq(name, "/") {
		if err := f.look(v.shown(), part, v.shown(), false); err != nil {
			return f, err
		}
	}
	return f, f.look(v.shown(), string(v.text), v.shown(), true)
}

// Facts looks at the expression.
func (e Expression) Facts(condition bool) (Facts, error) {
	var f Facts
	text := e.Text
	if condition {
		text = "{{if " + text + "}}{{end}}"
	}
	err := f.look(e.File, text, e.File, false)
	for i := range f.Vars {
		f.Vars[i].Line, f.Vars[i].Column = e.Line, e.Column
	}
	if err != nil {
		return f, e.fault(err)
	}
	return f, nil
}

// look adds what a text says. Lines count only where the text is a file.
func (f *Facts) look(name, text, file string, lines bool) error {
	t, err := newTemplate(name, "").Parse(text)
	if err != nil {
		return locate(name, text, err)
	}
	w := walker{facts: f, file: file, text: text, lines: lines}
	for _, each := range sortedTemplates(t) {
		if each.Name() != name {
			f.Blocks = append(f.Blocks, each.Name())
		}
		if each.Tree != nil {
			w.walk(each.Root)
		}
	}
	return nil
}

func sortedTemplates(t *template.Template) []*template.Template {
	all := t.Templates()
	slices.SortFunc(all, func(a, b *template.Template) int { return strings.Compare(a.Name(), b.Name()) })
	return all
}

// walker goes through the nodes of a template.
type walker struct {
	facts      *Facts
	file, text string
	lines      bool
}

func (w *walker) use(n parse.Node, name string) Use {
	u := Use{File: w.file, Name: name}
	if w.lines {
		before := w.text[:min(int(n.Position()), len(w.text))]
		u.Line = strings.Count(before, "\n") + 1
		u.Column = utf8.RuneCountInString(before[strings.LastIndex(before, "\n")+1:]) + 1
	}
	return u
}

func (w *walker) walk(node parse.Node) {
	switch n := node.(type) {
	case *parse.ListNode:
		if n == nil {
			return
		}
		for _, child := range n.Nodes {
			w.walk(child)
		}
	case *parse.ActionNode:
		w.pipe(n.Pipe)
	case *parse.TemplateNode:
		w.facts.Calls = append(w.facts.Calls, w.use(n, n.Name))
		w.pipe(n.Pipe)
	case *parse.IfNode:
		w.branch(&n.BranchNode)
	case *parse.RangeNode:
		w.branch(&n.BranchNode)
	case *parse.WithNode:
		w.branch(&n.BranchNode)
	}
}

func (w *walker) branch(n *parse.BranchNode) {
	w.pipe(n.Pipe)
	w.walk(n.List)
	if n.ElseList != nil {
		w.walk(n.ElseList)
	}
}

func (w *walker) pipe(p *parse.PipeNode) {
	if p == nil {
		return
	}
	for _, command := range p.Cmds {
		if name, ok := indexed(command); ok {
			w.facts.Vars = append(w.facts.Vars, w.use(command, name))
			continue
		}
		for _, arg := range command.Args {
			w.argument(arg)
		}
	}
}

// indexed is the name in {{index .Vars "name"}}.
func indexed(c *parse.CommandNode) (string, bool) {
	if len(c.Args) != 3 || c.Args[0].String() != "index" || c.Args[1].String() != ".Vars" && c.Args[1].String() != "$.Vars" {
		return "", false
	}
	name, ok := c.Args[2].(*parse.StringNode)
	if !ok {
		return "", false
	}
	return name.Text, true
}

func (w *walker) argument(node parse.Node) {
	switch n := node.(type) {
	case *parse.FieldNode:
		w.path(n, n.Ident)
	case *parse.VariableNode:
		if n.Ident[0] == "$" {
			w.path(n, n.Ident[1:])
		}
	case *parse.ChainNode:
		w.argument(n.Node)
	case *parse.PipeNode:
		w.pipe(n)
	}
}

func (w *walker) path(n parse.Node, ident []string) {
	if len(ident) == 0 || ident[0] != "Vars" {
		return
	}
	if len(ident) == 1 {
		w.facts.All = true
		return
	}
	w.facts.Vars = append(w.facts.Vars, w.use(n, ident[1]))
}

// Check puts the file together as a rendering would, without data. The error is an *Error.
func (s *Set) Check(name string) error {
	stack, err := s.stack(name)
	if err != nil || !strings.HasSuffix(name, suffix) {
		return err
	}
	if !strings.HasPrefix(name, Partials+"/") {
		if err := s.checkBase(name, stack); err != nil {
			return err
		}
	}
	_, err = s.parse(stack, "x.txt")
	return err
}

// Layers are the names of the layers that count for the file, the lowest first.
func (s *Set) Layers(name string) []string {
	stack, err := s.stack(name)
	if err != nil {
		return nil
	}
	return stack.layers()
}

// Rule is all that the rules say about the file.
func (s *Set) Rule(name string) Rule { return s.rule(name) }

// plainAction is x for a value, and nothing for what only decides about the text around it.
func plainAction(action string) string {
	word := strings.Fields(strings.Trim(action, "{}- "))
	if len(word) > 0 && slices.Contains([]string{"if", "else", "end", "range", "with"}, word[0]) {
		return ""
	}
	return "x"
}

// PlainName is where a file goes as far as its name alone tells: parts that depend on data are x.
func PlainName(name string) string {
	parts := strings.Split(strings.TrimSuffix(name, suffix), "/")
	for i, part := range parts {
		if strings.Contains(part, "{{") {
			parts[i] = actions.ReplaceAllStringFunc(part, plainAction)
		}
		if rest, found := strings.CutPrefix(parts[i], dot); found {
			parts[i] = "." + rest
		}
	}
	return strings.Join(parts, "/")
}
