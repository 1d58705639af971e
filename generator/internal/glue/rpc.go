package glue

import (
	"path"
	"strconv"
	"strings"

	"github.com/plugingen/plugingen/generator/internal/render"
	"github.com/plugingen/plugingen/generator/model"
)

// RenderRPC returns the code for a contract of .proto files that has been named: its interfaces, and what calls and serves them
// as the gRPC services that they are.
func RenderRPC(c *model.Contract, runtimeModule, template string) ([]byte, error) {
	f := &rpcFile{Package: c.Package.Name, RuntimeModule: runtimeModule, Sources: c.Protos, imports: model.NewImportSet(c.Package.Path, append(rpcLocals(), c.Declared...)...)}
	f.Context = f.imports.Std("context")
	f.GRPC = f.imports.Std("google.golang.org/grpc")
	f.Runtime = f.imports.Std(path.Join(runtimeModule, "runtime"))
	f.RPC = f.imports.Std(path.Join(runtimeModule, "runtime", "rpc"))
	f.name(c)
	for i, s := range c.Services {
		f.methods(&f.Services[i], s)
	}
	f.Imports = render.Code(f.imports.Block())
	return render.Source(FileName, template, f)
}

// rpcLocals are the names that the functions use themselves.
func rpcLocals() []string {
	return []string{"c", "ctx", "in", "at", "value", "out", "err", "impl", "conn", "registrar", "implementation"}
}

// rpcFile is what the template walks.
type rpcFile struct {
	imports *model.ImportSet

	Package, RuntimeModule      string
	Sources                     []string
	Imports                     render.Code
	Context, GRPC, Runtime, RPC string // packages
	Services                    []rpcService
}

type rpcService struct {
	Name, Var, WireName, Metadata string
	Client, NewClient, Register   string
	Doc                           string
	Methods                       []rpcMethod
}

// Unary are the methods without streams, Streams the others.
func (s rpcService) Unary() []rpcMethod { return s.filter(false) }

// Streams are the methods with streams.
func (s rpcService) Streams() []rpcMethod { return s.filter(true) }

func (s rpcService) filter(streams bool) []rpcMethod {
	var list []rpcMethod
	for _, m := range s.Methods {
		if (m.ClientStreams || m.ServerStreams) == streams {
			list = append(list, m)
		}
	}
	return list
}

type rpcMethod struct {
	Name, WireName, Doc          string
	Signature                    render.Code
	Client                       []render.Code
	Handler                      render.Code
	ClientStreams, ServerStreams bool
}

// name gives everything that is declared a name; imports that come later keep clear of them.
func (f *rpcFile) name(c *model.Contract) {
	taken := takenNames(c.Declared, c.Imported, f.imports.Names())
	for _, s := range c.Services {
		taken.take(s.Name, s.Var)
	}
	for _, s := range c.Services {
		v := rpcService{
			Name: s.Name, Var: s.Var, WireName: s.WireName, Metadata: s.Source, Doc: s.Doc,
			Client: taken.pick(lowerFirst(s.Name)+"Client", ""), NewClient: taken.pick("new"+s.Name+"Client", ""), Register: taken.pick("register"+s.Name, ""),
		}
		if v.Doc == "" {
			v.Doc = s.Name + " is the service " + s.WireName + "."
		}
		f.imports.Reserve(v.Name, v.Var, v.Client, v.NewClient, v.Register)
		f.Services = append(f.Services, v)
	}
}

func (f *rpcFile) methods(v *rpcService, s *model.Service) {
	for _, m := range s.Methods {
		c := rpcCall{rpcFile: f, method: m, rpc: m.RPC, service: s.Name, path: strconv.Quote("/" + s.WireName + "/" + m.WireName)}
		v.Methods = append(v.Methods, rpcMethod{
			Name: m.Name, WireName: m.WireName, Doc: m.Doc, Signature: render.Code(m.SignatureWith(f.imports, c.paramNames())),
			Client: c.client().code(), Handler: render.Code(c.handler()), ClientStreams: m.RPC.ClientStreams, ServerStreams: m.RPC.ServerStreams,
		})
	}
}

// rpcCall writes both ends of one method.
type rpcCall struct {
	*rpcFile
	method        *model.Method
	rpc           *model.RPC
	service, path string
}

func (c *rpcCall) paramNames() []string {
	list := []string{"ctx"}
	for _, p := range c.method.Params {
		list = append(list, p.Name)
	}
	return list
}

func (c *rpcCall) typeOf(p model.Payload) string { return p.Type.Expr(c.imports) }

func (c *rpcCall) pointer(p model.Payload) string { return "*" + c.typeOf(p) }

// message is the expression for the message that carries a value.
func (c *rpcCall) message(p model.Payload, streams bool, value string) string {
	plain := p.Plain()
	switch {
	case streams:
		return value
	case p.IsEmpty():
		return "new(" + c.typeOf(p) + ")"
	case plain == nil:
		return value
	case plain.Kind == model.Time, plain.Kind == model.Duration:
		return c.imports.Qualify(p.Type.Package, "New") + "(" + value + ")"
	}
	return c.imports.Qualify(p.Type.Package, strings.TrimSuffix(p.Type.Name, "Value")) + "(" + value + ")"
}

// reader is the function of the runtime that reads a message which may be out of Go's range; empty for all others.
func (c *rpcCall) reader(p model.Payload) string {
	if plain := p.Plain(); plain != nil {
		switch plain.Kind {
		case model.Time:
			return c.RPC + ".Time"
		case model.Duration:
			return c.RPC + ".Duration"
		}
	}
	return ""
}

// client makes the call.
func (c *rpcCall) client() *block {
	var b block
	value := "in"
	if len(c.method.Params) > 0 {
		value = c.method.Params[0].Name
	}
	function := map[[2]bool]string{{}: "Call", {true, false}: "Send", {false, true}: "Receive", {true, true}: "Exchange"}
	call := c.RPC + "." + function[[2]bool{c.rpc.ClientStreams, c.rpc.ServerStreams}] + "[" + c.typeOf(c.rpc.Response) + "]" +
		"(ctx, c.conn, " + c.path + ", " + c.message(c.rpc.Request, c.rpc.ClientStreams, value) + ")"
	response := c.rpc.Response
	switch plain := response.Plain(); {
	case c.rpc.ServerStreams || !response.IsEmpty() && plain == nil:
		b.add("return " + call)
	case response.IsEmpty():
		b.add("_, err := "+call, "return err")
	default:
		b.add("out, err := "+call, "if err != nil {", "return "+plain.Zero(c.imports)+", err", "}")
		if reader := c.reader(response); reader != "" {
			b.add("return " + reader + "(out)")
		} else {
			b.add("return out.GetValue(), nil")
		}
	}
	return &b
}

// handler is the expression for what answers calls.
func (c *rpcCall) handler() string {
	function := map[[2]bool]string{{}: "Unary(" + c.path + ", ", {true, false}: "Receiver(", {false, true}: "Sender(", {true, true}: "Exchanger("}
	return c.RPC + "." + function[[2]bool{c.rpc.ClientStreams, c.rpc.ServerStreams}] + c.serve() + ")"
}

// serve is the function that calls the implementation: the method itself where messages are what it takes and returns.
func (c *rpcCall) serve() string {
	request, response := c.rpc.Request, c.rpc.Response
	converts := func(p model.Payload, streams bool) bool { return !streams && (p.IsEmpty() || p.Plain() != nil) }
	in, out := converts(request, c.rpc.ClientStreams), converts(response, c.rpc.ServerStreams)
	if !in && !out {
		return c.service + "." + c.method.Name
	}
	var b block
	param, arg := "in", ", in"
	if in {
		param, arg = c.argument(&b)
	}
	c.answer(&b, "impl."+c.method.Name+"(ctx"+arg+")", out)
	head := "func(impl " + c.service + ", ctx " + c.Context + ".Context, " + param + " " + c.carried(request, c.rpc.ClientStreams) + ") "
	result := c.carried(response, c.rpc.ServerStreams)
	if !c.rpc.ServerStreams {
		result = "(" + result + ", error)"
	}
	return head + result + " {\n" + strings.Join(b.lines, "\n") + "\n}"
}

func (c *rpcCall) carried(p model.Payload, streams bool) string {
	if streams {
		return model.Stream(p.Pointer()).Expr(c.imports)
	}
	return c.pointer(p)
}

// argument reads the request.
func (c *rpcCall) argument(b *block) (param, arg string) {
	request := c.rpc.Request
	if request.IsEmpty() {
		return "_", ""
	}
	reader := c.reader(request)
	if reader == "" {
		return "in", ", in.GetValue()"
	}
	name := c.method.Params[0].Name
	fail := "return nil, err"
	if c.rpc.ServerStreams {
		fail = "return " + c.RPC + ".Fail[" + c.typeOf(c.rpc.Response) + "](err)"
	}
	b.add(name+", err := "+reader+"(in)", "if err != nil {", fail, "}")
	return "in", ", " + name
}

// answer returns the response of a call.
func (c *rpcCall) answer(b *block, call string, converts bool) {
	response := c.rpc.Response
	switch {
	case !converts:
		b.add("return " + call)
	case response.IsEmpty():
		b.add("return " + c.message(response, false, "") + ", " + call)
	default:
		b.add("out, err := "+call, "return "+c.message(response, false, "out")+", err")
	}
}
