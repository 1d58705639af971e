package stubs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path"
	"strings"
)

// Method is a method that the type of a target has.
type Method struct {
	Pos token.Position
	// Params and Results are the types, one for each parameter; a context and an error among them.
	Params, Results []string
	// File has the method.
	File *File
}

// Methods are what the target's type has by name. Open is the embedded type whose methods are not known, if there is one.
func (t *Target) Methods() (methods map[string]Method, open string) {
	methods = map[string]Method{}
	open = t.Package.collect(t.Type, methods, map[string]bool{})
	return methods, open
}

func (p *Package) collect(name string, methods map[string]Method, seen map[string]bool) (open string) {
	if seen[name] {
		return ""
	}
	seen[name] = true
	for _, f := range p.Files {
		for _, d := range f.Syntax.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv == nil || len(fn.Recv.List) != 1 || typeName(fn.Recv.List[0].Type) != name {
				continue
			}
			if _, nearer := methods[fn.Name.Name]; !nearer {
				methods[fn.Name.Name] = Method{
					Pos: p.fset.Position(fn.Name.Pos()), Params: typeTexts(fn.Type.Params), Results: typeTexts(fn.Type.Results), File: f,
				}
			}
		}
	}
	_, spec := p.typeNamed(name)
	if spec == nil {
		return name
	}
	return p.collectEmbedded(spec, methods, seen)
}

func (p *Package) collectEmbedded(spec *ast.TypeSpec, methods map[string]Method, seen map[string]bool) (open string) {
	s, ok := spec.Type.(*ast.StructType)
	if !ok {
		return ""
	}
	for _, field := range s.Fields.List {
		if len(field.Names) > 0 {
			continue
		}
		name := typeName(field.Type)
		_, inner := p.typeNamed(name)
		if inner == nil || inner.Assign.IsValid() || isInterface(inner.Type) {
			open = types.ExprString(field.Type)
			continue
		}
		if o := p.collect(name, methods, seen); o != "" {
			open = o
		}
	}
	return open
}

func typeTexts(list *ast.FieldList) []string {
	if list == nil {
		return nil
	}
	var texts []string
	for _, field := range list.List {
		for range max(1, len(field.Names)) {
			texts = append(texts, types.ExprString(field.Type))
		}
	}
	return texts
}

// Differs says whether the method surely has other types than those of the contract, which are written as the method's file
// would. A type with a name that may be another one's is given the benefit of the doubt: the compiler knows.
//
// Signature is a method's without receiver and func.
func (m Method) Differs(signature string) bool {
	f, err := parser.ParseFile(token.NewFileSet(), "", "package p\nfunc "+signature, parser.SkipObjectResolution)
	if err != nil || len(f.Decls) != 1 {
		return false
	}
	want := f.Decls[0].(*ast.FuncDecl).Type
	return differ(m.Params, typeTexts(want.Params)) || differ(m.Results, typeTexts(want.Results))
}

// Receiver is the name that most methods of the target's type have for it, which may be empty, and whether it is a pointer:
// what is passed by value has methods by value.
func (t *Target) Receiver() (name string, pointer bool) {
	own, values := 0, 0
	for _, f := range t.Package.Files {
		for _, d := range f.Syntax.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv == nil || typeName(fn.Recv.List[0].Type) != t.Type {
				continue
			}
			own++
			if names := fn.Recv.List[0].Names; len(names) == 1 && names[0].Name != "_" {
				name = names[0].Name
			}
			if _, ok := fn.Recv.List[0].Type.(*ast.StarExpr); !ok {
				values++
			}
		}
	}
	if own == 0 {
		_, literal := t.arg.(*ast.CompositeLit)
		return "", !literal
	}
	return name, values < own
}

func differ(have, want []string) bool {
	if len(have) != len(want) {
		return true
	}
	for i := range have {
		if plain(have[i]) && normal(have[i]) != normal(want[i]) {
			return true
		}
	}
	return false
}

// plain says whether the type is made of predeclared names alone, and is no function or struct, whose spellings are many.
func plain(text string) bool {
	if strings.Contains(text, "func(") || strings.Contains(text, "struct{") {
		return false
	}
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return !token.IsIdentifier(string(r)) && (r < '0' || r > '9') && r != '.' }) {
		word = strings.Trim(word, ".")
		obj := types.Universe.Lookup(word)
		_, isType := obj.(*types.TypeName)
		if word != "" && !isType && !token.IsKeyword(word) && !isNumber(word) && word != "context.Context" {
			return false
		}
	}
	return true
}

func isNumber(word string) bool { return strings.Trim(word, "0123456789") == "" }

// normal has one spelling for types that have two.
func normal(text string) string {
	return strings.NewReplacer("interface{}", "any", "uint8", "byte", "int32", "rune").Replace(strings.TrimSpace(text))
}

// Imports are the imports of a file by path, with the names that they have there: empty stands for the package's own.
func (f *File) Imports() map[string]string {
	imports := map[string]string{}
	for _, spec := range f.Syntax.Imports {
		name := ""
		if spec.Name != nil {
			name = spec.Name.Name
		}
		if name != "_" && name != "." {
			imports[importPath(spec)] = name
		}
	}
	return imports
}

// Guessed are names that imports without a name may have.
func (f *File) Guessed() []string {
	var names []string
	for p, name := range f.Imports() {
		if name == "" {
			names = append(names, guess(p))
		}
	}
	return names
}

// guess is the name that a package most likely has.
func guess(importPath string) string { return path.Base(importPath) }
