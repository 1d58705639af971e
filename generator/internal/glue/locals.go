package glue

import "github.com/plugingen/plugingen/generator/model"

// locals are the variables of generated functions. The package's own names are kept clear of, because a variable
// would hide a type of the same name.
type locals struct {
	c, ctx, cancel, req, resp, err, failure, impl, scope   string // of calls
	v, m, k, x, i, key, item, mapKey, depth, first, second string // of conversions
}

func pickLocals(c *model.Contract) locals {
	taken := takenNames(c.Declared)
	pick := func(want string) string { return taken.pick(want, "Local") }
	return locals{
		c: pick("c"), ctx: pick("ctx"), cancel: pick("cancel"), req: pick("req"), resp: pick("resp"), err: pick("err"),
		failure: pick("failure"), impl: pick("impl"), scope: pick("scope"),
		v: pick("v"), m: pick("m"), k: pick("k"), x: pick("x"), i: pick("i"), key: pick("key"), item: pick("item"), mapKey: pick("mapKey"), depth: pick("depth"), first: pick("first"), second: pick("second"),
	}
}

func (l locals) all() []string {
	return []string{l.c, l.ctx, l.cancel, l.req, l.resp, l.err, l.failure, l.impl, l.scope, l.v, l.m, l.k, l.x, l.i, l.key, l.item, l.mapKey, l.depth, l.first, l.second}
}

// inCalls are those that stand beside parameters.
func (l locals) inCalls() []string {
	return []string{l.c, l.ctx, l.cancel, l.req, l.resp, l.err, l.failure, l.impl, l.scope, l.k, l.x, l.i, l.key, l.item}
}
