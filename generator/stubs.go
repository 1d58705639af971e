package generator

import (
	"go/token"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plugingen/plugingen"
	"github.com/plugingen/plugingen/generator/internal/render"
	"github.com/plugingen/plugingen/generator/internal/schema"
	"github.com/plugingen/plugingen/generator/internal/stubs"
	"github.com/plugingen/plugingen/generator/model"
	"github.com/plugingen/plugingen/generator/tree"
)

// Stubs are what a module's implementations of a contract lack, and a host's table of methods.
type Stubs struct {
	Root string // of the module
	// Files are whole: what was there with the stubs added, tests that call them, the table where it changes. Their paths are
	// relative to Root.
	Files []tree.File
	// Methods are those that were added, such as "myGreeter.Wave", in the order of the contract.
	Methods []string
	// Notes say where somebody has to look: what could not be decided, and signatures that are not the contract's.
	Notes model.Diagnostics
	// Read are the files of the packages with implementations, and the table.
	Read []string
}

// MissingStubs looks, in the module that dir is in, for the types that are passed to Implement of the contracts' services, and adds
// the methods that they lack. It changes and removes nothing that is there, writes nothing to the disk, and adds nothing
// where it is not clear which type it is, or which methods it has: a note says so, with a path relative to the root. The generated
// table of methods of a host's project follows the contract, too.
func MissingStubs(dir string, contracts ...*model.Contract) (*Stubs, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	root, mod, err := moduleOf(dir)
	if err != nil {
		return nil, err
	}
	w := &stubWriter{Stubs: &Stubs{Root: root}, contents: map[string][]byte{}, done: map[string]bool{}}
	if w.runtime, err = schema.RuntimeModule(plugingen.Source); err != nil {
		return nil, err
	}
	for _, c := range contracts {
		w.contract = c
		if err := w.addAll(&stubs.Module{Root: root, Path: mod.Module.Mod.Path, Contract: c.Package.Path, Services: serviceVariables(c)}); err != nil {
			w.note(stubs.CodeUnclear, token.Position{}, c.Package.Name+": what implements it", err.Error(), "stubs for it wait until that is mended")
		}
		if err := w.addCalls(); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(w.contents)) {
		w.Files = append(w.Files, tree.File{Path: name, Data: w.contents[name], Owner: tree.Amended})
	}
	return w.Stubs, nil
}

func serviceVariables(c *model.Contract) map[string]string {
	services := map[string]string{}
	for _, s := range c.Services {
		services[s.Var] = s.Name
	}
	return services
}

// stubWriter gathers the stubs of all types of a module.
type stubWriter struct {
	*Stubs
	contract *model.Contract   // whose methods are added
	runtime  string            // module path
	contents map[string][]byte // of files that change
	done     map[string]bool   // methods by package and type: two interfaces may share one
}

func (w *stubWriter) service(name string) *model.Service {
	i := slices.IndexFunc(w.contract.Services, func(s *model.Service) bool { return s.Name == name })
	return w.contract.Services[i]
}

func (w *stubWriter) addAll(m *stubs.Module) error {
	found, err := m.Find()
	if err != nil {
		return err
	}
	for _, name := range m.Read() {
		w.Read = append(w.Read, filepath.Join(w.Root, filepath.FromSlash(name)))
	}
	for _, t := range found {
		if err := w.add(t); err != nil {
			return err
		}
	}
	return nil
}

func (w *stubWriter) add(t *stubs.Target) error {
	s := w.service(t.Interface)
	where := s.Name + ": what implements it"
	if t.Type == "" {
		w.note(stubs.CodeUnclear, t.Pos, where, t.Why, "declare var _ "+w.contract.Package.Name+"."+s.Name+" = (*T)(nil) beside the type T that it is, or add the methods that the contract got yourself")
		return nil
	}
	has, open := t.Methods()
	var missing []*model.Method
	for _, m := range s.Methods {
		switch have, found := has[m.Name]; {
		case found:
			w.compare(t, s, m, have)
		case !w.done[t.Package.Path+"."+t.Type+"."+m.Name]:
			missing = append(missing, m)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if open != "" {
		if strings.HasSuffix(open, "."+s.Name) || open == s.Name {
			return nil // the interface itself is embedded, with all its methods
		}
		w.note(stubs.CodeUnclear, t.Pos, where,
			t.Type+" embeds "+open+", whose methods are not known", "if it lacks some of "+methodNames(missing)+", they are yours to add")
		return nil
	}
	return w.write(t, s, missing)
}

func (w *stubWriter) note(code string, pos token.Position, where, why, hint string) {
	w.Notes = append(w.Notes, model.Diagnostic{Code: code, File: pos.Filename, Line: pos.Line, Column: pos.Column, Where: where, Why: why, Hint: hint})
}

func methodNames(methods []*model.Method) string {
	var names []string
	for _, m := range methods {
		names = append(names, m.Name)
	}
	return strings.Join(names, ", ")
}

// compare says so when a method that is there has not the contract's signature.
func (w *stubWriter) compare(t *stubs.Target, s *model.Service, m *model.Method, have stubs.Method) {
	signature := m.Signature(w.imports(t.Package, have.File))
	if have.Differs(signature) {
		w.note(stubs.CodeSignature, have.Pos, t.Type+"."+m.Name,
			"the signature is not that of "+s.Name, "the contract has "+m.Signature(model.NewImportSet("")))
	}
}

// imports are those of a file of the package; nil is a new one.
func (w *stubWriter) imports(p *stubs.Package, f *stubs.File, taken ...string) *model.ImportSet {
	imports := model.NewImportSet(p.Path, append(p.Declared(), taken...)...)
	if f == nil {
		return imports
	}
	for importPath, name := range f.Imports() {
		imports.Declare(importPath, name)
	}
	imports.Reserve(f.Guessed()...)
	return imports
}

// write adds the stubs to the file that has the type, or to one beside it when that is generated.
func (w *stubWriter) write(t *stubs.Target, s *model.Service, missing []*model.Method) error {
	name := t.File.Name
	f := &stubs.File{Syntax: t.File.Syntax, Source: t.File.Source}
	if t.File.Generated {
		name = strings.TrimSuffix(name, ".go") + "_stubs.go"
		f = nil
	}
	text := ""
	imports := w.imports(t.Package, f)
	for range 2 { // names of parameters depend on all imports
		text = ""
		for _, m := range missing {
			text += "\n" + string(stubDoc(w.contract, s, m)) + "\n" + string(w.stub(imports, t, s, m)) + "\n"
		}
	}
	if err := w.insert(name, t, imports, strings.TrimPrefix(text, "\n")); err != nil {
		return err
	}
	for _, m := range missing {
		w.done[t.Package.Path+"."+t.Type+"."+m.Name] = true
		w.Methods = append(w.Methods, t.Type+"."+m.Name)
	}
	return w.writeTests(t, s, missing)
}

func stubDoc(c *model.Contract, s *model.Service, m *model.Method) render.Code {
	if m.Doc == "" {
		return render.Code("// " + m.Name + " implements " + c.Package.Name + "." + s.Name + ".")
	}
	return render.Comment(m.Doc)
}

func (w *stubWriter) stub(imports *model.ImportSet, t *stubs.Target, s *model.Service, m *model.Method) render.Code {
	name, pointer := t.Receiver()
	if name == "" || slices.Contains(m.ParamNames(imports), name) {
		name = receiver(imports, m.ParamNames(imports))
	}
	typ := t.Type
	if pointer {
		typ = "*" + typ
	}
	return stubOn(imports, name+" "+typ, s.Name, m)
}

// insert adds text to a file, which is made when it is not there.
func (w *stubWriter) insert(name string, t *stubs.Target, imports *model.ImportSet, text string) error {
	source, changed := w.contents[name]
	if !changed {
		data, err := os.ReadFile(filepath.Join(w.Root, filepath.FromSlash(name)))
		switch {
		case os.IsNotExist(err):
			data = []byte("package " + t.File.Syntax.Name.Name + "\n")
		case err != nil:
			return err
		}
		source = data
	}
	there := stubs.Imported(source)
	var added []stubs.Import
	for p, local := range imports.Missing() {
		if !slices.Contains(there, p) {
			added = append(added, stubs.Import{Name: local, Path: p})
		}
	}
	data, err := stubs.Insert(source, added, text)
	if err == nil {
		w.contents[name] = data
	}
	return err
}

// writeTests adds a test for each stub to a file of its own: what people wrote about the other methods stays as it is.
func (w *stubWriter) writeTests(t *stubs.Target, s *model.Service, missing []*model.Method) error {
	name := strings.TrimSuffix(t.File.Name, ".go") + "_stubs_test.go"
	known, err := t.Package.Tests(w.Root)
	if err != nil {
		return err
	}
	f, err := stubs.ParseFile(w.Root, name, w.contents[name])
	if err != nil {
		return err
	}
	text := ""
	imports := w.imports(t.Package, f, append(known, "t", "err", "implementation")...)
	for range 2 {
		text = ""
		for _, m := range missing {
			if test := "Test" + s.Name + m.Name; !slices.Contains(known, test) {
				text += "\n" + w.test(imports, t, s, m)
			}
		}
	}
	if text == "" {
		return nil
	}
	return w.insert(name, t, imports, strings.TrimPrefix(text, "\n"))
}

// test calls the method over a connection: it is skipped with the error of the stub until there is a body.
func (w *stubWriter) test(imports *model.ImportSet, t *stubs.Target, s *model.Service, m *model.Method) string {
	imports.Std("testing")
	face := imports.Qualify(w.contract.Package, s.Name)
	lines := []string{
		"implementation := " + imports.Std(path.Join(w.runtime, "runtime/plugintest")) + ".New(t, " + imports.Qualify(w.contract.Package, s.Var) + ", " + face + "(new(" + t.Type + ")))",
	}
	call := strings.TrimSuffix(string(check(imports, m)), "\nreached(t, err)")
	if m.RPC != nil {
		return testFunc(imports, s, m, append(lines, rpcOutcome(imports, m, call)...))
	}
	lines = append(lines, strings.ReplaceAll(call, "\n", "\n\t"))
	if m.HasError {
		errs, lost := imports.Std("errors"), imports.Std(path.Join(w.runtime, "runtime"))
		lines = append(lines,
			"switch {",
			"case "+errs+".As(err, new(*"+lost+".CallError)):",
			"\tt.Error(err) // it did not get to the plugin and back",
			"case err != nil:",
			"\tt.Skip(err)",
			"}")
	}
	return testFunc(imports, s, m, lines)
}

// rpcOutcome tells a call that did not get there and back from an answer.
func rpcOutcome(imports *model.ImportSet, m *model.Method, call string) []string {
	code := imports.Std(grpcStatus) + ".Code(err)"
	outcome := []string{
		"switch " + code + " {",
		"case " + imports.Std(grpcCodes) + ".Unavailable:",
		"\tt.Error(err) // it did not get to the plugin and back",
		"case " + imports.Std(grpcCodes) + ".Unimplemented:",
		"\tt.Skip(err)",
		"}",
	}
	if !m.ReturnsStream() {
		return append([]string{call}, outcome...)
	}
	head, _, _ := strings.Cut(call, "\n")
	lines := []string{head}
	for _, line := range outcome {
		lines = append(lines, "\t"+line)
	}
	return append(lines, "\tbreak // it may go on for ever", "}")
}

func testFunc(imports *model.ImportSet, s *model.Service, m *model.Method, lines []string) string {
	return "// Test" + s.Name + m.Name + " calls the method over a connection. Say here what you expect of it as you implement it.\n" +
		"func Test" + s.Name + m.Name + "(t *" + imports.Std("testing") + ".T) {\n\t" + strings.Join(lines, "\n\t") + "\n}\n"
}
