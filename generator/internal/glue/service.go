package glue

import (
	"strconv"
	"strings"
	"time"

	"github.com/plugingen/plugingen/generator/internal/render"
	"github.com/plugingen/plugingen/generator/model"
)

// service is an interface as the template sees it.
type service struct {
	Name                        render.Code
	Link, Var, WireName         string // Link is how comments name it
	Client, NewClient, Register string
	Describe                    string // of services in contracts with live values, and of objects
	Object                      string // of those whose values cross
	IsFunc                      bool   // an object that is a function
	Bounded                     bool   // there are methods without a context
	Methods                     []method
}

// method is a method as the template sees it.
type method struct {
	Name, WireName, Path      string
	Serve                     string
	Signature                 render.Code
	ClientBody                []render.Code
	ServeParams, ServeResults render.Code
	ServeBody                 []render.Code
}

func (f *file) service(s *model.Service) service {
	v := service{
		Name: f.code(s.Name), Link: s.Name, Var: s.Var, WireName: s.WireName,
		Client: f.declare(lowerFirst(s.Name) + "Client"), NewClient: f.declare("new" + s.Name + "Client"), Register: f.declare("register" + s.Name),
	}
	if f.hasLive {
		v.Describe = f.declare("describe" + s.Name)
	}
	if s.Type != nil {
		v.Object = f.objectNames[s.Type.ID()]
	}
	for _, m := range s.Methods {
		v.Bounded = v.Bounded || !m.HasContext
		v.Methods = append(v.Methods, f.methodOf(s, m, s.Name+"."+m.Name, s.Name, nil))
	}
	return v
}

// methodOf writes a method of a service; object is the type that has it when that is not called like the service.
func (f *file) methodOf(s *model.Service, m *model.Method, label, word string, object *model.Type) method {
	c := call{file: f, method: m, object: object, label: strconv.Quote(label), path: strconv.Quote("/" + s.WireName + "/" + m.WireName)}
	m.Signature(f.imports) // imports first: no parameter may hide one
	if object != nil {
		object.Expr(f.imports)
	}
	c.name()
	v := method{Name: m.Name, WireName: m.WireName, Path: "/" + s.WireName + "/" + m.WireName, Serve: f.declare("serve" + word + m.Name)}
	v.Signature = f.code(m.SignatureWith(f.imports, c.allParams()))
	v.ClientBody = c.client()
	v.ServeBody = c.serve()
	v.ServeParams = f.code(c.serveParams(c.servedType(s)))
	v.ServeResults = f.code("*" + c.pb(m.Response) + ", error")
	return v
}

// call writes both ends of one method.
type call struct {
	*file
	method      *model.Method
	object      *model.Type // nil for a contract's service
	label, path string      // quoted
	ctx         string
	params      []string // without the context
	results     []string
	backNames   []string // of what parameters come back as
}

// name gives parameters and results names that hide nothing the bodies need.
func (c *call) name() {
	used := takenNames(c.locals.inCalls(), c.imports.Names())
	c.ctx = c.locals.ctx
	if name := c.method.ContextName; name != "" && name != c.ctx {
		c.ctx = c.pickLocal(used, name)
	}
	for _, p := range c.method.Params {
		c.params = append(c.params, c.pickLocal(used, p.Field.Member))
	}
	for _, r := range c.method.Results {
		c.results = append(c.results, c.pickLocal(used, r.Field.Member))
	}
	for _, p := range c.method.Filled() {
		c.backNames = append(c.backNames, c.pickLocal(used, p.Field.Member+"Back"))
	}
}

func (c *call) pickLocal(used names, want string) string {
	for {
		name := used.pick(want, "Arg")
		if !c.taken[name] && !model.IsPredeclared(name) {
			return name
		}
	}
}

func (c *call) allParams() []string {
	if c.method.HasContext {
		return append([]string{c.ctx}, c.params...)
	}
	return c.params
}

func (c *call) pb(m *model.Message) string { return c.PB + "." + m.GoName }

// client sends the parameters and returns what comes back.
func (c *call) client() []render.Code {
	if c.method.Fills {
		return c.fillClient()
	}
	var b block
	l := c.locals
	if !c.method.HasContext && !c.method.IsLive() {
		b.add(l.ctx+", "+l.cancel+" := "+c.Context+".WithTimeout("+c.Context+".Background(), "+c.timeout()+")", "defer "+l.cancel+"()")
	}
	if c.method.IsLive() {
		c.beginClient(&b)
	}
	assign := " := "
	if c.anyFails(c.method.Params, c.encoding(nil).valueFails) || c.anyFails(c.given(), c.decoding(nil).usesErr) {
		b.add("var " + l.err + " error")
		assign = " = "
	}
	e := c.encoding(c.clientFail)
	e.keeps = c.keeps()
	e.message(&b, l.req, c.pb(c.method.Request), c.method.Request.Fields, c.source(c.method.Params, c.params))
	b.add(l.resp + " := new(" + c.pb(c.method.Response) + ")")
	b.add("if " + l.err + assign + c.invoke() + "; " + l.err + " != nil {")
	b.add(c.clientFail("", l.err)...)
	b.add("}")
	c.clientResults(&b)
	return b.code()
}

// timeout is the expression for what bounds calls without a context.
func (c *call) timeout() string {
	t := c.method.Timeout
	if t == 0 {
		return c.Runtime + ".DefaultCallTimeout"
	}
	c.Time = c.imports.Std("time")
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{time.Hour, "Hour"}, {time.Minute, "Minute"}, {time.Second, "Second"}, {time.Millisecond, "Millisecond"}} {
		if t%unit.size == 0 {
			return strconv.FormatInt(int64(t/unit.size), 10) + "*" + c.Time + "." + unit.name
		}
	}
	return c.Time + ".Duration(" + strconv.FormatInt(int64(t), 10) + ")"
}

func (c *call) anyFails(params []*model.Param, fails func(*model.Field) bool) bool {
	for _, p := range params {
		if fails(p.Field) {
			return true
		}
	}
	return false
}

// keeps are the fields of parameters whose live values outlast the call.
func (c *call) keeps() map[*model.Field]bool {
	kept := map[*model.Field]bool{}
	for _, p := range c.method.Params {
		if p.Kept {
			kept[p.Field] = true
		}
	}
	return kept
}

// source finds the variable that a field of a message is about.
func (c *call) source(params []*model.Param, variables []string) func(*model.Field) string {
	byField := map[*model.Field]string{}
	for i, p := range params {
		byField[p.Field] = variables[i]
	}
	return func(f *model.Field) string { return byField[f] }
}

// clientFail returns the error, or where the method has no error result tells the host.
func (c *call) clientFail(where, err string) []string {
	failed := c.Runtime + ".CallFailed(" + c.label + ", " + c.wrap(where, err) + ")"
	if c.method.HasError {
		return []string{"return " + c.method.FailResults(c.imports, failed)}
	}
	report := c.Runtime + ".ReportLost(" + c.locals.c + ".conn, " + failed + ")"
	return []string{report, strings.TrimSpace("return " + c.method.ZeroResults(c.imports))}
}

func (c *call) clientResults(b *block) {
	if c.closes() {
		b.add(c.objectPackage() + ".Closed(" + c.locals.c + ".conn)")
	}
	d := c.decoding(c.clientFail)
	values := c.decoded(b, d, c.method.Results, c.results, c.locals.resp)
	for i, p := range c.backs() {
		c.declared(b, d, p, c.backNames[i], c.locals.resp)
	}
	c.writeBack(b)
	if c.method.HasError {
		values = append(values, c.Errors+".Decode("+c.locals.resp+"."+errorField(c.method.Response)+")")
	}
	if len(values) > 0 {
		b.add("return " + strings.Join(values, ", "))
	}
}

// decoded writes what the parameters or results need, and returns an expression for each.
func (c *call) decoded(b *block, d *decoding, params []*model.Param, variables []string, msg string) []string {
	var values []string
	for i, p := range params {
		if expr, ok := d.simple(p.Field, msg+"."+p.Field.GoName); ok && !p.InOut {
			values = append(values, expr)
			continue
		}
		c.declared(b, d, p, variables[i], msg)
		values = append(values, variables[i])
	}
	return values
}

// declared declares a variable with what the field of a parameter or result holds.
func (c *call) declared(b *block, d *decoding, p *model.Param, variable, msg string) {
	src := msg + "." + p.Field.GoName
	if expr, ok := d.simple(p.Field, src); ok && expr == src && !p.Type.IsNamed() {
		b.add(variable + " := " + src)
		return
	}
	b.add("var " + variable + " " + p.Type.Expr(c.imports))
	d.field(b, p.Field, variable, src)
	if p.InOut && p.Type.Kind == model.Map { // an empty one arrives as nil, and could not be filled
		b.add("if "+variable+" == nil {", variable+" = make("+p.Type.Expr(c.imports)+")", "}")
	}
}

func errorField(m *model.Message) string {
	for _, f := range m.Fields {
		if f.Type == nil {
			return f.GoName
		}
	}
	return ""
}

// serve calls the implementation.
func (c *call) serve() []render.Code {
	if c.method.Fills {
		return c.fillServe()
	}
	var b block
	l := c.locals
	if c.method.IsLive() {
		c.beginServe(&b)
	}
	d := c.decoding(c.serveFail("InvalidArgument"))
	if c.anyFails(c.method.Params, d.usesErr) || c.anyFails(c.given(), c.encoding(nil).valueFails) {
		b.add("var " + l.err + " error")
	}
	args := c.decoded(&b, d, c.method.Params, c.params, l.req)
	if c.method.Variadic {
		args[len(args)-1] += "..."
	}
	if c.method.HasContext {
		args = append([]string{c.locals.ctx}, args...)
	}
	invoke := l.impl + "." + c.method.Name + "(" + strings.Join(args, ", ") + ")"
	if c.object != nil && c.object.Live.Form == model.Func {
		invoke = l.impl + "(" + strings.Join(args, ", ") + ")"
	}
	results := c.results
	if c.method.HasError {
		results = append(append([]string{}, results...), l.failure)
	}
	if len(results) > 0 {
		invoke = strings.Join(results, ", ") + " := " + invoke
	}
	b.add(invoke)
	variables := c.giving(&b)
	e := c.encoding(c.resultFail())
	e.failure = l.failure
	e.message(&b, l.resp, c.pb(c.method.Response), c.method.Response.Fields, c.source(c.given(), variables))
	if c.method.IsLive() {
		b.add(l.scope + ".Commit()")
	}
	b.add("return " + l.resp + ", nil")
	return b.code()
}

// servedType is the Go type that implements the method.
func (c *call) servedType(s *model.Service) string {
	if c.object == nil {
		return s.Name
	}
	return c.object.Expr(c.imports)
}

// serveFail answers with a status: the call could not be carried out.
func (c *call) serveFail(code string) fail {
	return func(where, err string) []string {
		format := `"%v"`
		if where != "" {
			format = strings.Replace(where, "%w", "%v", 1)
		}
		return []string{"return nil, " + c.status() + ".Errorf(" + c.codes() + "." + code + ", " + format + ", " + err + ")"}
	}
}

// resultFail lets an error of the implementation go before one of its results, which are often unfit then.
func (c *call) resultFail() fail {
	status := c.serveFail("Internal")
	if !c.method.HasError {
		return status
	}
	return func(where, err string) []string {
		failed := "return &" + c.pb(c.method.Response) + "{" + errorField(c.method.Response) + ": " + c.Errors + ".Encode(" + c.locals.failure + ")}, nil"
		return append([]string{"if " + c.locals.failure + " != nil {", failed, "}"}, status(where, err)...)
	}
}

func (c *call) serveParams(serviceName string) string {
	ctx, req := c.locals.ctx, c.locals.req
	if !c.method.HasContext && !c.method.IsLive() {
		ctx = "_"
	}
	if len(c.method.Params) == 0 {
		req = "_"
	}
	return ctx + " " + c.Context + ".Context, " + c.locals.impl + " " + serviceName + ", " + req + " *" + c.pb(c.method.Request)
}
