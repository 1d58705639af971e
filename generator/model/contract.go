package model

// Package is a Go package as an import declaration names it.
type Package struct {
	Path string // import path
	Name string // name in the package clause
}

// Contract is a Go package with the interfaces that a host and its plugins share.
type Contract struct {
	Package  Package
	Module   string     // module path of Package; empty when there is no go.mod
	Services []*Service // in the order in which they were asked for
	// Objects are the interfaces and functions whose values cross, other than Services, and the types of channels and iterators;
	// sorted by Type.ID.
	Objects []*Type
	// Sentinels are the exported error values that stay themselves when they cross the process boundary, sorted.
	Sentinels []Sentinel
	// ErrorTypes are the types of errors that stay themselves, sorted; Values those that values of type any may have.
	ErrorTypes, Values []*Type
	// Declared are the names that the package declares outside generated files, sorted.
	Declared []string
	// Imported are the names that the package's files give to imports; a package may not declare them either. Sorted.
	Imported []string
	// Wire is how the contract travels; nil until the schema has been laid out, and for a contract made of .proto files.
	Wire *Wire
	// Protos are the .proto files that the contract was made of, relative to its folder, with slashes; nil for Go interfaces.
	Protos []string
}

// Service is an interface of a contract.
type Service struct {
	Name    string // the interface's name in the contract's package
	Doc     string // its doc comment without comment marks; empty without one
	Methods []*Method
	// Var is the generated variable of type runtime.Service, such as "GreeterService".
	Var string
	// Type is the interface or function when its values are parameters or results; nil otherwise.
	Type *Type
	// WireName is the full gRPC service name, such as "example_com.greeter.Greeter".
	WireName string
	// Source is the name under which the .proto that has the service registers; empty in contracts made of Go interfaces.
	Source string
}

// Method finds a method by its Go name; nil without it.
func (s *Service) Method(name string) *Method {
	for _, m := range s.Methods {
		if m.Name == name {
			return m
		}
	}
	return nil
}

// Sentinel is an exported variable or constant that is an error.
type Sentinel struct {
	Package Package
	Name    string
}

// ID is the sentinel's name on the wire, such as "example.com/greeter.ErrNobody".
func (s Sentinel) ID() string { return s.Package.Path + "." + s.Name }

// Expr is the Go expression for it.
func (s Sentinel) Expr(imports *ImportSet) string { return imports.Qualify(s.Package, s.Name) }
