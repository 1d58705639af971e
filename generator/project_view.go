package generator

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"strings"

	"github.com/plugingen/plugingen/generator/internal/render"
	"github.com/plugingen/plugingen/generator/model"
)

// view is what the templates of a project see. Everything that is Go code was computed; templates only walk.
type view struct {
	Kind         string // plugin or host
	Name, Module string
	Vars         map[string]any // the variables of the set; empty for the built-in one
	Go           string         // language version, such as 1.26.0
	Self         string         // module path of the runtime
	Contract     contractView
	// ReturnsErrors says that a method has an error result.
	ReturnsErrors bool
	FromProto     bool  // the contract was made of .proto files: its errors are those of gRPC
	Starter       bool  // the contract is the starter: there are bodies and tests to show
	OwnsContract  bool  // the contract's package is in this project
	HasTool       bool  // the project pins the generator in go.tool.mod
	Copy          bool  // the project has a copy of the runtime
	Checkout      bool  // go.mod replaces the runtime by a folder of this machine
	Versions      []int // of the protocol; each serves all Services
	Services      []serviceView
	// Mod and so on are the module files; those for tools are empty when the project has none.
	Mod, Sum, ToolMod, ToolSum render.Code
	// The import declarations of main.go, of the stubs, of the tests, and of a host's table of methods.
	MainImports, StubImports, TestImports, CallImports render.Code
}

// contractView is what templates see of the contract's package, before and after its inspection.
type contractView struct {
	Vars    map[string]any // the variables of the set; empty for the built-in one
	Self    string         // module path of the runtime
	Package string         // its name
	Name    string         // by which files of the project import it: Package, unless that clashes
	Path    string         // import path
	Dir     string         // in the project; empty when it is elsewhere
	Types   string         // names of its interfaces, separated by commas
	// Tool is the command of the go:generate directive.
	Tool render.Code
	// CookieKey and CookieValue tell a program that its host speaks this contract. They are no secret.
	CookieKey, CookieValue string
	// Foreign is set when the interface is another package's.
	Foreign foreignView
}

// foreignView is an interface of another package: Base is the last element of Path.
type foreignView struct {
	Path, Base, Name, Type string
	Directives             []render.Code // of its doc comment
}

// serviceView is an interface with the type that implements it in a new project.
type serviceView struct {
	Name    string // the interface
	Type    string // implements it
	Var     string // the contract's service variable
	Doc     string
	Methods []methodView
}

// methodView is a method with the code around it.
type methodView struct {
	Name, Doc string
	Summary   string      // first sentence of Doc; empty without one
	Full      string      // with the interface, such as Greeter.Greet
	Stub      render.Code // the method declaration with a body
	Check     render.Code // statements that call it in a test
	Params    []paramView
	Call      render.Code // statements that read arguments and call it in a host
}

// paramView is a parameter as a host's user sees it.
type paramView struct {
	Name string
	What string // how to write a value
}

func (b *builder) contractView(own ownContract) contractView {
	importPath := b.req.Module + "/" + own.name
	v := contractView{
		Vars: b.vars,
		Self: b.self.path(), Package: own.name, Name: own.name, Path: importPath, Dir: own.name, Types: strings.Join(own.types, ","),
		CookieKey: cookieKey(b.req.Name), CookieValue: cookieValue(importPath), Tool: "plugingen",
	}
	if _, found := b.req.Runtime.tool(); found {
		v.Tool = "go tool -modfile=../go.tool.mod plugingen"
	}
	if f := own.foreign; f != nil {
		v.Foreign = foreignView{Path: f.path, Base: path.Base(f.path), Name: own.foreignName, Type: f.typ}
		for _, d := range f.directives {
			v.Foreign.Directives = append(v.Foreign.Directives, render.Code(d))
		}
	}
	return v
}

func cookieKey(name string) string {
	return strings.ToUpper(strings.ReplaceAll(name, "-", "_")) + "_MAGIC_COOKIE"
}

// cookieValue is the same for the same contract on every machine.
func cookieValue(importPath string) string {
	sum := sha256.Sum256([]byte("plugingen contract " + importPath))
	return hex.EncodeToString(sum[:16])
}

func (b *builder) view(c *contract) (*view, error) {
	v := &view{
		Kind: b.kind.set, Vars: b.vars,
		Name: b.req.Name, Module: b.req.Module, Go: b.self.mod.Go.Version, Self: b.self.path(),
		Contract: contractView{
			Vars: b.vars, Self: b.self.path(),
			Package: c.model.Package.Name, Name: localName(c.model.Package.Name), Path: c.model.Package.Path, Dir: c.dir, CookieKey: cookieKey(b.req.Name),
		},
		Versions: c.versions, Starter: c.starter, OwnsContract: c.dir != "", FromProto: c.model.Protos != nil,
		Copy: b.req.Runtime.Copy, Checkout: b.req.Runtime.requirement() == noVersion && !b.req.Runtime.Copy,
	}
	v.addServices(c.model)
	v.Contract.Types = typeNames(c.model)
	if err := b.kind.view(&codeView{view: v, contract: c.model}); err != nil {
		return nil, err
	}
	m, err := b.modules(c, v)
	if err != nil {
		return nil, err
	}
	v.Mod, v.Sum, v.ToolMod, v.ToolSum, v.HasTool = render.Code(m.mod), render.Code(m.sum), render.Code(m.toolMod), render.Code(m.toolSum), m.toolMod != nil
	return v, nil
}

func (v *view) addServices(c *model.Contract) {
	for _, s := range c.Services {
		for _, m := range s.Methods {
			v.ReturnsErrors = v.ReturnsErrors || m.HasError
		}
		v.Services = append(v.Services, serviceView{Name: s.Name, Type: "my" + s.Name, Var: s.Var, Doc: s.Doc})
	}
}

func typeNames(c *model.Contract) string {
	var names []string
	for _, s := range c.Services {
		names = append(names, s.Name)
	}
	return strings.Join(names, ",")
}

// modules are the project's module files.
func (b *builder) modules(c *contract, v *view) (modules, error) {
	w := moduleWish{path: b.req.Module, runtime: b.req.Runtime, extra: c.wiring, tool: c.dir != ""}
	for _, m := range importedByContract() {
		if c.dir != "" || v.imports(m) {
			w.direct = append(w.direct, m)
		}
	}
	return b.self.buildModules(w)
}

// imports says whether files of the project other than its contract import packages of the module.
func (v *view) imports(module string) bool {
	if v.FromProto && v.Kind == "host" {
		return true // to read and write messages as JSON, and tell errors
	}
	for _, block := range []render.Code{v.MainImports, v.StubImports, v.TestImports, v.CallImports} {
		if strings.Contains(string(block), `"`+module+"/") {
			return true
		}
	}
	return false
}

// importedByContract are the modules besides ours that a generated contract package imports.
func importedByContract() []string {
	return []string{"google.golang.org/grpc", "google.golang.org/protobuf"}
}

// codeView fills a view with the code that depends on the contract's methods.
type codeView struct {
	*view
	contract *model.Contract
}

// importsFor is the set of what a file surely imports: packages of the standard library, packages below runtime, and the
// contract. No other package gets one of the names taken.
func (v *codeView) importsFor(std, runtime []string, taken ...string) *model.ImportSet {
	imports := model.NewImportSet("", taken...)
	for _, p := range std {
		imports.Std(p)
	}
	for _, p := range runtime {
		imports.Std(path.Join(v.Self, "runtime", p))
	}
	imports.Add(model.Package{Path: v.contract.Package.Path, Name: v.Contract.Name})
	return imports
}

// localName is what files of the project call the contract's package.
func localName(packageName string) string {
	switch packageName {
	case "bytes", "command", "context", "errors", "fmt", "host", "io", "main", "os", "plugin", "pluginlog", "plugintest", "relay", "runtime", "slog", "testing", "time":
		return packageName + "contract"
	}
	return packageName
}

// summary is the first sentence of a doc comment, without the name that it starts with by custom.
func summary(doc string) string {
	first, _, _ := strings.Cut(doc, "\n\n")
	first = strings.Join(strings.Fields(first), " ")
	if sentence, _, found := strings.Cut(first, ". "); found {
		return sentence + "."
	}
	return first
}
