package glue

import "github.com/plugingen/plugingen/generator/internal/render"

// Methods such as Read fill the slice that they are given: its length goes one way, the bytes come the other.

// fillClient asks for as many bytes as the slice has room for. Without a context it waits as long as the implementation does.
func (c *call) fillClient() []render.Code {
	var b block
	p := c.params[0]
	if c.method.Name != "ReadAt" || len(c.params) == 1 {
		offset := ""
		if len(c.params) > 1 {
			offset = c.params[1]
		}
		c.fillOnce(&b, p, offset)
		return b.code()
	}
	l := c.locals
	b.add("return " + c.Runtime + ".InParts(" + p + ", func(" + l.x + " []byte, " + l.i + " int64) (int, error) {")
	c.fillOnce(&b, l.x, c.params[1]+" + "+l.i)
	b.add("})")
	return b.code()
}

func (c *call) fillOnce(b *block, into, offset string) {
	l, m := c.locals, c.method
	req := m.Params[0].Field.GoName + ": int64(min(len(" + into + "), " + c.Runtime + ".MostRead))"
	if offset != "" {
		req += ", " + m.Params[1].Field.GoName + ": " + offset
	}
	b.add(l.req+" := &"+c.pb(m.Request)+"{"+req+"}", l.resp+" := new("+c.pb(m.Response)+")")
	ctx := c.Context + ".Background()"
	if m.HasContext {
		ctx = c.ctx
	}
	b.add("if "+l.err+" := "+l.c+".conn.Invoke("+ctx+", "+c.path+", "+l.req+", "+l.resp+"); "+l.err+" != nil {",
		"return 0, "+c.Runtime+".CallFailed("+c.label+", "+l.err+")", "}")
	b.add("return copy(" + into + ", " + l.resp + "." + m.Results[0].Field.GoName + "), " + c.Errors + ".Decode(" + l.resp + "." + errorField(m.Response) + ")")
}

func (c *call) fillServe() []render.Code {
	var b block
	l, m := c.locals, c.method
	args := l.x
	if m.HasContext {
		args = l.ctx + ", " + args
	}
	if len(m.Params) > 1 {
		args += ", " + l.req + "." + m.Params[1].Field.GoName
	}
	b.add(l.x + " := " + c.Runtime + ".ReadBuffer(" + l.req + "." + m.Params[0].Field.GoName + ")")
	b.add(l.i + ", " + l.failure + " := " + l.impl + "." + m.Name + "(" + args + ")")
	b.add("return &" + c.pb(m.Response) + "{" + m.Results[0].Field.GoName + ": " + c.Runtime + ".Filled(" + l.x + ", " + l.i + "), " +
		errorField(m.Response) + ": " + c.Errors + ".Encode(" + l.failure + ")}, nil")
	return b.code()
}
