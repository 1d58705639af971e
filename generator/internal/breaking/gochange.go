package breaking

import (
	"fmt"
	"go/token"
	"maps"
	"slices"
	"strings"
)

// goComparison compares Go declarations whose wire form is compared elsewhere.
type goComparison struct {
	was, now *goPackage
	changes  []Change
}

// goSources compares the interfaces that have services, and the structs that have messages.
func goSources(was, now *goPackage, services, messages map[string]bool) []Change {
	c := &goComparison{was: was, now: now}
	for _, name := range slices.Sorted(maps.Keys(was.interfaces)) {
		if services[name] {
			c.iface(name, was.interfaces[name], now.interfaces[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(was.structs)) {
		if s := now.structs[name]; s != nil && messages[name] {
			c.structure(name, was.structs[name], s)
		}
	}
	return c.changes
}

func (c *goComparison) at(r Rule, pos token.Pos, where, why, hint string) {
	p := c.now.fset.Position(pos)
	c.changes = append(c.changes, Change{Rule: r.ID, Level: r.Level, File: p.Filename, Line: p.Line, Column: p.Column, Where: where, Why: why, Hint: hint})
}

func (c *goComparison) iface(name string, was, now *goInterface) {
	if now == nil {
		c.at(goInterfaceRemoved, token.NoPos, name, "no interface has that name any more", "keep the name, as an alias where it has moved")
		return
	}
	if old, embeds := strings.Join(was.embeds, ", "), strings.Join(now.embeds, ", "); old != embeds {
		c.at(goEmbeddedInterfaces, now.pos, name, fmt.Sprintf("it embedded %s and embeds %s", orNothing(old), orNothing(embeds)), "")
	}
	for _, method := range slices.Sorted(maps.Keys(was.methods)) {
		if m := now.methods[method]; m != nil {
			c.method(name+"."+method, was.methods[method], m)
		}
	}
}

func orNothing(text string) string {
	if text == "" {
		return "nothing"
	}
	return text
}

func (c *goComparison) method(where string, was, now *goMethod) {
	if typesOf(was.params) != typesOf(now.params) || typesOf(was.results) != typesOf(now.results) {
		if sameSet(was.params, now.params) && sameSet(was.results, now.results) {
			c.reordered(where, was, now)
			return
		}
		c.at(goMethodSignature, now.pos, where, fmt.Sprintf("its type was func%s and is func%s", signature(was), signature(now)),
			"callers and implementations have to follow; a method under another name leaves them alone")
		return
	}
	switch {
	case slices.Equal(was.params, now.params) && slices.Equal(was.results, now.results):
	case sameSet(was.params, now.params) && sameSet(was.results, now.results) && named(now.params) && named(now.results):
		c.reordered(where, was, now)
	default:
		c.at(goParameterRenamed, now.pos, where, fmt.Sprintf("it was func%s and is func%s: Go does not look at these names", signature(was), signature(now)), "")
	}
}

func (c *goComparison) reordered(where string, was, now *goMethod) {
	c.at(goParametersReordered, now.pos, where, fmt.Sprintf("it was func%s and is func%s: the wire goes by names, Go by places", signature(was), signature(now)),
		"look at every call: where two have one type, the compiler does not notice")
}

func typesOf(params []goParam) string {
	var list []string
	for _, p := range params {
		list = append(list, p.typ)
	}
	return strings.Join(list, ", ")
}

// named says whether the order can be told from the names.
func named(params []goParam) bool {
	return !slices.ContainsFunc(params, func(p goParam) bool { return p.name == "" }) || len(params) < 2
}

func sameSet(a, b []goParam) bool {
	if len(a) != len(b) {
		return false
	}
	count := map[goParam]int{}
	for i := range a {
		count[a[i]]++
		count[b[i]]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}

func signature(m *goMethod) string {
	text := "(" + list(m.params) + ")"
	switch {
	case len(m.results) == 0:
		return text
	case len(m.results) == 1 && m.results[0].name == "":
		return text + " " + m.results[0].typ
	}
	return text + " (" + list(m.results) + ")"
}

func list(params []goParam) string {
	var texts []string
	for _, p := range params {
		texts = append(texts, strings.TrimSpace(p.name+" "+p.typ))
	}
	return strings.Join(texts, ", ")
}

func (c *goComparison) structure(name string, was, now *goStruct) {
	for _, field := range slices.Sorted(maps.Keys(was.fields)) {
		old := was.fields[field]
		f, there := now.fields[field]
		switch {
		case !there:
			c.at(goStructField, now.pos, name+"."+field, "the field is gone", "")
		case f.typ != old.typ:
			c.at(goStructField, f.pos, name+"."+field, fmt.Sprintf("its type was %s and is %s", old.typ, f.typ), "")
		}
	}
}
