package stubs

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Import is a package to import; Name is empty for its own name.
type Import struct{ Name, Path string }

func (i Import) text() string {
	if i.Name == "" || i.Name == path.Base(i.Path) {
		return strconv.Quote(i.Path)
	}
	return i.Name + " " + strconv.Quote(i.Path)
}

// Insert adds imports and, at the end, declarations to a Go file. Every byte that was there is there afterwards, in the same order.
// A file that would not parse any more, such as one with all of it on one line, is an error.
func Insert(source []byte, imports []Import, declarations string) ([]byte, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", source, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		return nil, fmt.Errorf("add imports: %w", err)
	}
	ins := inserter{source: source, file: file, offset: func(p token.Pos) int { return fset.Position(p).Offset }}
	slices.SortFunc(imports, func(a, b Import) int { return strings.Compare(a.Path, b.Path) })
	if block := ins.block(); block == nil {
		ins.addBlock(imports)
	} else {
		for _, i := range imports {
			ins.add(block, i)
		}
	}
	slices.SortStableFunc(ins.edits, func(a, b edit) int { return a.at - b.at })
	var out bytes.Buffer
	last := 0
	for _, e := range ins.edits {
		out.Write(source[last:e.at])
		out.WriteString(e.text)
		last = e.at
	}
	out.Write(source[last:])
	if n := len(source); n > 0 && source[n-1] != '\n' {
		out.WriteByte('\n')
	}
	out.WriteString("\n" + declarations)
	added := out.Bytes()
	if bytes.Contains(source, []byte("\r\n")) {
		added = bytes.ReplaceAll(bytes.ReplaceAll(added, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
	}
	if _, err := parser.ParseFile(token.NewFileSet(), "", added, parser.SkipObjectResolution); err != nil {
		return nil, fmt.Errorf("add stubs: the file would not parse any more: %w", err)
	}
	return added, nil
}

// edit is text to insert in front of an offset.
type edit struct {
	at   int
	text string
}

type inserter struct {
	source []byte
	file   *ast.File
	offset func(token.Pos) int
	edits  []edit
}

// addBlock makes a declaration of its own, after those that are there.
func (ins *inserter) addBlock(imports []Import) {
	var groups []string
	for _, std := range []bool{true, false} {
		var lines strings.Builder
		for _, i := range imports {
			if isStd(i.Path) == std {
				lines.WriteString("\t" + i.text() + "\n")
			}
		}
		if lines.Len() > 0 {
			groups = append(groups, lines.String())
		}
	}
	if len(groups) == 0 {
		return
	}
	last := ins.file.Name.End()
	if n := len(ins.file.Decls); n > 0 {
		last = ins.file.Decls[n-1].End()
	}
	ins.edits = append(ins.edits, edit{ins.lineAfter(ins.offset(last)), "\nimport (\n" + strings.Join(groups, "\n") + ")\n"})
}

// add puts the import behind the last path of its kind that is smaller.
func (ins *inserter) add(block *ast.GenDecl, i Import) {
	var before ast.Spec
	same := false // whether there are imports of its kind
	for _, s := range block.Specs {
		p := importPath(s.(*ast.ImportSpec))
		if isStd(p) == isStd(i.Path) {
			if same = true; p < i.Path {
				before = s
			}
		}
	}
	switch {
	case before != nil:
		ins.edits = append(ins.edits, edit{ins.lineAfter(ins.offset(before.End())), "\t" + i.text() + "\n"})
	case same || isStd(i.Path):
		text := "\t" + i.text() + "\n"
		if !same && len(block.Specs) > 0 {
			text += "\n"
		}
		ins.edits = append(ins.edits, edit{ins.lineAfter(ins.offset(block.Lparen)), text})
	default:
		ins.edits = append(ins.edits, edit{ins.offset(block.Rparen), "\n\t" + i.text() + "\n"})
	}
}

// block is the first import declaration that has a line for itself at both ends; nil without one.
func (ins *inserter) block() *ast.GenDecl {
	for _, d := range ins.file.Decls {
		g, ok := d.(*ast.GenDecl)
		if ok && g.Lparen.IsValid() && len(g.Specs) > 0 && !bytes.Contains(ins.source[ins.offset(g.Lparen):ins.offset(g.Rparen)], []byte(`"C"`)) &&
			bytes.ContainsRune(ins.source[ins.offset(g.Lparen):ins.offset(g.Specs[0].Pos())], '\n') &&
			bytes.ContainsRune(ins.source[ins.offset(g.Specs[len(g.Specs)-1].End()):ins.offset(g.Rparen)], '\n') {
			return g
		}
	}
	return nil
}

// lineAfter is where the line after the one with the offset starts.
func (ins *inserter) lineAfter(offset int) int {
	if i := bytes.IndexByte(ins.source[offset:], '\n'); i >= 0 {
		return offset + i + 1
	}
	return len(ins.source)
}

func isStd(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".")
}
