package glue

import (
	"path"

	"github.com/plugingen/plugingen/generator/internal/render"
	"github.com/plugingen/plugingen/generator/model"
)

// FileName is the generated file in a contract's folder.
const FileName = "zz_plugingen.go"

// Name gives every service the name of its generated variable: <Interface>Service, unless the package has that already.
func Name(c *model.Contract) {
	taken := takenNames(c.Declared, c.Imported)
	for _, s := range c.Services {
		s.Var = taken.pick(s.Name+"Service", "")
	}
}

// Render returns the code for a contract that has been laid out, compiled and named.
// RuntimeModule is the path of the module that has the runtime, template the text that walks what this package computes.
func Render(c *model.Contract, runtimeModule, template string) ([]byte, error) {
	f := newFile(c, runtimeModule)
	for _, s := range c.Services {
		f.Services = append(f.Services, f.service(s))
	}
	for _, t := range c.Objects {
		if t.Live.Service != nil {
			f.Objects = append(f.Objects, f.objectService(t))
		} else {
			f.Streams = append(f.Streams, f.stream(t))
		}
	}
	for _, m := range c.Wire.Messages {
		if m.Type != nil {
			f.Conversions = append(f.Conversions, f.encoder(m), f.decoder(m))
		}
	}
	if f.HasErrors() {
		for _, s := range c.Sentinels {
			f.Sentinels = append(f.Sentinels, sentinel{ID: s.ID(), Expr: s.Expr(f.imports)})
		}
		f.ErrorTypes = f.registrations(c.Wire.ErrorTypes)
	}
	if len(c.Wire.Values) > 0 {
		f.values()
		f.ValueTypes = f.registrations(c.Wire.Values)
	}
	f.Imports = render.Code(f.imports.Block())
	return render.Source(FileName, template, f)
}

// file is what the template walks.
type file struct {
	contract *model.Contract
	imports  *model.ImportSet
	taken    names // by the package, imports included
	locals   locals
	convert  map[*model.Message]*converter
	unmarsh  map[string]string // method -> helper

	objectNames map[string]string // Type.ID -> function that describes the type to the runtime
	hasLive     bool
	usesErrors  bool // in what the runtime does with live values

	Package, RuntimeModule, ProtoFile        string
	Imports                                  render.Code
	Context, GRPC, Runtime, PB               string // packages
	Fmt, Time, Timestamp, DurationPB, Status string
	Codes, ErrorsPackage, Proto              string
	Receiver, Errors, Handler                string
	Narrow, NarrowEnum                       string
	EncodeTime, DecodeTime                   string // helpers; empty when nothing needs them
	DecodeDuration, Marshaled                string
	MarshalProto, UnmarshalProto             string
	Values                                   string
	MaxNesting, ErrNesting                   string
	Unmarshalers                             []unmarshaler
	Services, Objects                        []service
	Streams                                  []stream
	Object                                   string // package, when something is live
	Sentinels                                []sentinel
	Conversions                              []function
	ErrorTypes, ValueTypes                   []registration
}

type sentinel struct{ ID, Expr string }

type unmarshaler struct{ Name, Marshal, Unmarshal string }

// function is a generated function; the template adds the braces.
type function struct {
	Name            string
	Doc             render.Code
	Params, Results render.Code
	Body            []render.Code
}

func newFile(c *model.Contract, runtimeModule string) *file {
	f := &file{
		contract: c, Package: c.Package.Name, RuntimeModule: runtimeModule, ProtoFile: c.Wire.File,
		unmarsh: map[string]string{}, convert: map[*model.Message]*converter{}, objectNames: map[string]string{},
	}
	f.locals = pickLocals(c)
	f.taken = takenNames(c.Declared, c.Imported)
	for _, s := range c.Services {
		f.taken.take(s.Var)
	}
	f.packages(runtimeModule)
	f.Receiver = f.locals.c
	f.Errors = f.declare("errorSet")
	f.Handler = f.declare("unaryHandler")
	f.liveTypes()
	f.converters()
	return f
}

// HasErrors says whether errors of implementations travel.
func (f *file) HasErrors() bool {
	if f.usesErrors {
		return true
	}
	for _, m := range f.contract.Wire.Messages {
		for _, field := range m.Fields {
			if field.Value.Proto == model.ErrorProto {
				return true
			}
		}
	}
	return false
}

func (f *file) packages(runtimeModule string) {
	f.imports = model.NewImportSet(f.contract.Package.Path, append(f.locals.all(), f.contract.Declared...)...)
	f.Context = f.imports.Std("context")
	f.GRPC = f.imports.Std("google.golang.org/grpc")
	f.Runtime = f.imports.Std(path.Join(runtimeModule, "runtime"))
	f.PB = f.imports.Add(f.contract.Wire.GoPackage)
	// names that imports may get later, so that nothing is declared over them
	f.taken.take(f.Context, f.GRPC, f.Runtime, f.PB, "fmt", "time", "timestamppb", "durationpb", "status", "codes", "errors", "proto", "object", "runtimepb")
}

// declare picks a name for a package-level declaration.
func (f *file) declare(want string) string {
	for {
		name := f.taken.pick(want, "")
		if !f.imports.Has(name) {
			f.imports.Reserve(name)
			return name
		}
	}
}

// values is the set that carries values of type any.
func (f *file) values() string { return f.need(&f.Values, "valueSet") }

// The following are imported when something needs them.

func (f *file) fmt() string {
	f.Fmt = f.imports.Std("fmt")
	return f.Fmt
}

func (f *file) status() string {
	f.Status = f.imports.Std("google.golang.org/grpc/status")
	return f.Status
}

func (f *file) codes() string {
	f.Codes = f.imports.Std("google.golang.org/grpc/codes")
	return f.Codes
}

const knownTypes = "google.golang.org/protobuf/types/known/"

func (f *file) timestamp() {
	f.Time = f.imports.Std("time")
	f.Timestamp = f.imports.Std(knownTypes + "timestamppb")
}

func (f *file) durationpb() string {
	f.DurationPB = f.imports.Std(knownTypes + "durationpb")
	return f.DurationPB
}
