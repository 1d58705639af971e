package glue

import (
	"fmt"
	"strings"

	"github.com/plugingen/plugingen/generator/model"
)

// Maps whose keys no proto map can have travel as lists of entries; a pair of functions converts one entry.

// entryEncoder is the function that turns a key and a value into an entry.
func (f *file) entryEncoder(m *model.Message) function {
	c, l := f.convert[m], f.locals
	pb := f.PB + "." + m.GoName
	fn := function{Name: c.encode, Results: f.code("*" + pb), Doc: f.code(fmt.Sprintf("is the message for an entry of a %s.", m.Type))}
	params := l.k + " " + m.Type.Key.Expr(f.imports) + ", " + l.v + " " + m.Type.Elem.Expr(f.imports)
	if c.encodes {
		fn.Results = f.code("(_ *" + pb + ", " + l.err + " error)")
	}
	var b block
	if m.Recursive {
		params += ", " + l.depth + " int"
		b.add("if "+l.depth+" > "+f.maxNesting()+" {", "return nil, "+f.errNesting(), "}")
	}
	fn.Params = f.code(f.scoped(m, true) + params)
	e := f.encoding(func(where, err string) []string { return []string{"return nil, " + f.wrap(where, err)} })
	e.within = m
	e.message(&b, l.m, pb, m.Fields, func(field *model.Field) string { return f.entryPart(field, l.k) })
	b.add("return " + withNil(l.m, c.encodes))
	fn.Body = b.code()
	return fn
}

// entryPart is the variable for a field of an entry.
func (f *file) entryPart(field *model.Field, key string) string {
	if field.Name == "key" {
		return key
	}
	return f.locals.v
}

// entryDecoder is the function that turns an entry into a key and a value.
func (f *file) entryDecoder(m *model.Message) function {
	c, l := f.convert[m], f.locals
	fn := function{Name: c.decode, Params: f.decoderParams(m)}
	fn.Doc = f.code(fmt.Sprintf("is the entry of a %s in a message.", m.Type))
	results := l.mapKey + " " + m.Type.Key.Expr(f.imports) + ", " + l.v + " " + m.Type.Elem.Expr(f.imports)
	if c.decodes {
		results += ", " + l.err + " error"
	}
	fn.Results = f.code("(" + results + ")")
	result := l.mapKey + ", " + l.v
	var b block
	b.add("if "+l.m+" == nil {", "return "+withNil(result, c.decodes), "}")
	d := f.decoding(func(where, err string) []string { return []string{"return " + result + ", " + f.wrap(where, err)} })
	d.within = m
	for _, field := range m.Fields {
		d.field(&b, field, f.entryPart(field, l.mapKey), l.m+"."+field.GoName)
	}
	b.add("return " + withNil(result, c.decodes))
	fn.Body = b.code()
	return fn
}

func (e *encoding) pairs(b *block, field *model.Field, dst, src string) {
	l, m := e.locals, field.Value.Message
	args := l.k + ", " + l.x
	if m.Recursive {
		args += ", " + e.nextDepth()
	}
	call := e.convert[m].encode + "(" + e.scoped(m) + args + ")"
	b.add("if len("+src+") > 0 {", dst+" = make([]"+e.carrierGo(field.Value)+", 0, len("+src+"))", "for "+l.k+", "+l.x+" := range "+src+" {")
	if e.convert[m].encodes {
		b.add("var " + l.item + " " + e.carrierGo(field.Value))
		e.assign(b, field, l.item, call, e.whereElement(field, l.k))
		call = l.item
	}
	b.add(dst+" = append("+dst+", "+call+")", "}", "}")
}

// pairs refuses entries that become one: the peer may see keys as different that are not in this process.
func (d *decoding) pairs(b *block, field *model.Field, dst, src string) {
	l, m := d.locals, field.Value.Message
	call := d.decodeMessage(m, l.x)
	b.add("if len("+src+") > 0 {", dst+" = make("+field.Type.Expr(d.imports)+", len("+src+"))", "for "+l.i+", "+l.x+" := range "+src+" {")
	if d.convert[m].decodes {
		b.add("var "+l.key+" "+field.Type.Key.Expr(d.imports), "var "+l.item+" "+field.Type.Elem.Expr(d.imports),
			"if "+l.key+", "+l.item+", "+l.err+" = "+call+"; "+l.err+" != nil {",
			strings.Join(d.fail(d.whereElement(field, l.i), l.err), "\n"), "}")
	} else {
		b.lines[len(b.lines)-1] = "for _, " + l.x + " := range " + src + " {"
		b.add(l.key + ", " + l.item + " := " + call)
	}
	if holdsAny(field.Type.Key, 0) {
		b.add("if "+l.err+" = "+d.Runtime+".CheckKey("+l.key+"); "+l.err+" != nil {", strings.Join(d.fail(d.whereElement(field, l.i), l.err), "\n"), "}")
	}
	same := d.fmt() + `.Errorf("%d of %d entries: keys that differ there are the same here", len(` + dst + `), len(` + src + `))`
	b.add(dst+"["+l.key+"] = "+l.item, "}", "if len("+dst+") != len("+src+") {", strings.Join(d.fail(d.where(field), same), "\n"), "}", "}")
}

// holdsAny says whether keys of the type may turn out to be none: what an any holds may not be comparable.
func holdsAny(t *model.Type, depth int) bool {
	switch {
	case depth > 100: // types of keys do not hold themselves, but better safe
		return true
	case t.Kind == model.Array:
		return holdsAny(t.Elem, depth+1)
	}
	for _, m := range t.Members {
		if holdsAny(m.Type, depth+1) {
			return true
		}
	}
	return t.Kind == model.Any
}
