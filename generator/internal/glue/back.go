package glue

import "github.com/plugingen/plugingen/generator/model"

// What an implementation writes into the value of a parameter that is InOut comes back beside the results. It is written into the
// caller's value once all of it has turned out to be fit: a call that fails changes nothing.

// backs are what comes back, as parameters of their own.
func (c *call) backs() []*model.Param {
	var backs []*model.Param
	for _, p := range c.method.Filled() {
		backs = append(backs, &model.Param{Name: p.Name, Type: p.Back.Type, Field: p.Back})
	}
	return backs
}

// given is all that a response carries.
func (c *call) given() []*model.Param {
	return append(append([]*model.Param{}, c.method.Results...), c.backs()...)
}

// giving are the variables with what a response carries. A map is there in any case, as it may be empty.
func (c *call) giving(b *block) []string {
	variables := append([]string{}, c.results...)
	back := 0
	for i, p := range c.method.Params {
		if !p.InOut {
			continue
		}
		variable := c.params[i]
		if p.Type.Kind == model.Map {
			variable = c.backNames[back]
			b.add(variable + " := &" + c.params[i])
		}
		variables = append(variables, variable)
		back++
	}
	return variables
}

// writeBack writes what has come back into the caller's values.
func (c *call) writeBack(b *block) {
	back := 0
	for i, p := range c.method.Params {
		if !p.InOut {
			continue
		}
		c.replace(b, p.Type, c.params[i], c.backNames[back])
		back++
	}
}

// replace writes the statements that put with into what dst refers to, a value of type t.
func (c *call) replace(b *block, t *model.Type, dst, with string) {
	switch t.Kind {
	case model.Map:
		b.add(c.Runtime + ".ReplaceMap(" + dst + ", " + with + ")")
	case model.Bytes:
		b.add("copy(" + dst + ", " + with + ")")
	case model.Slice:
		c.replaceElements(b, t.Elem, dst, with)
	default:
		b.add(c.replaceOne(t, dst, with))
	}
}

// replaceElements writes through the pointers that the slice has; other elements are replaced.
func (c *call) replaceElements(b *block, elem *model.Type, dst, with string) {
	switch elem.Kind {
	case model.Pointer, model.ProtoMessage, model.Any:
	default:
		b.add("copy(" + dst + ", " + with + ")")
		return
	}
	i := c.locals.i
	one := c.replaceOne(elem, dst+"["+i+"]", with+"["+i+"]")
	b.add("for "+i+" := range min(len("+dst+"), len("+with+")) {", "if !"+one+" {", dst+"["+i+"] = "+with+"["+i+"]", "}", "}")
}

// replaceOne is the call that writes through a pointer, and says whether it could.
func (c *call) replaceOne(t *model.Type, dst, with string) string {
	name := "Replace"
	switch {
	case t.Kind == model.Any:
		name = "ReplaceAny"
	case t.Kind == model.ProtoMessage:
		name = "ReplaceMessage"
	case t.Elem.Kind == model.Struct && t.Elem.Partial:
		name = "ReplaceExported"
	}
	return c.Runtime + "." + name + "(" + dst + ", " + with + ")"
}
