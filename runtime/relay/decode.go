package relay

import (
	"log/slog"
	"slices"
	"time"
)

const maxGroups = 8 // of attributes inside each other; a deeper object is JSON

// decoder makes records of lines. Only its scratch memory outlives a line.
type decoder struct {
	cursor
	text  string      // the line as a string, which attributes share
	attrs []slog.Attr // of the objects that are being read, one after the other
	roles roles
}

// record decodes a line, which classify found to have the form and the level.
func (d *decoder) record(f form, level slog.Level, at time.Time, line []byte) slog.Record {
	d.cursor = cursor{line: line}
	d.text, d.attrs, d.roles = string(line), d.attrs[:0], noRoles()
	switch f {
	case formJSON:
		if d.jsonLine() && d.roles.known() {
			return d.build(level, at)
		}
	case formLogfmt:
		if d.logfmtLine() {
			return d.build(level, at)
		}
	case formBracket:
		return slog.NewRecord(at, level, Escape(d.text[plainPrefix(line):]), 0)
	case formStamped:
		stamp, text := cutStamp(d.text)
		return slog.NewRecord(orTime(stamp, at), level, Escape(text), 0)
	}
	return slog.NewRecord(at, level, Escape(d.text), 0)
}

// build makes a record of the attributes, except those that are the record's own message, time and level.
func (d *decoder) build(level slog.Level, at time.Time) slog.Record {
	r := slog.NewRecord(orTime(d.roles.at, at), level, d.roles.text, 0)
	attrs := d.attrs[:0]
	for i, a := range d.attrs {
		switch i {
		case d.roles.message, d.roles.time:
		case d.roles.level:
			if !d.roles.plain {
				attrs = append(attrs, slog.String("level_name", d.roles.name))
			}
		default:
			attrs = append(attrs, a)
		}
	}
	r.AddAttrs(attrs...)
	return r
}

func orTime(t, otherwise time.Time) time.Time {
	if t.IsZero() {
		return otherwise
	}
	return t
}

// jsonLine reads the whole line as one object.
func (d *decoder) jsonLine() bool {
	if d.peek() != '{' {
		return false
	}
	d.i++
	for first := true; ; first = false {
		key, more, ok := d.key(first)
		if !more {
			return ok && d.peek() == 0 && d.i == len(d.line)
		}
		d.space()
		raw := span{lo: d.i}
		v, ok := d.value(1)
		if !ok {
			return false
		}
		raw.hi = d.i
		d.attrs = append(d.attrs, slog.Attr{Key: d.name(key), Value: v})
		d.role(key, raw)
	}
}

// role notes what the member that was just read is to the record.
func (d *decoder) role(key, raw span) {
	at := len(d.attrs) - 1
	v := d.attrs[at].Value
	if v.Kind() == slog.KindString {
		d.roles.see(at, d.line[key.lo:key.hi], d.line[raw.lo+1:raw.hi-1], v.String())
		return
	}
	d.roles.seeOther(at, d.line[key.lo:key.hi], d.text[raw.lo:raw.hi])
}

func (d *decoder) value(depth int) (slog.Value, bool) {
	switch b := d.peek(); {
	case b == '"':
		s, ok := d.str()
		if !ok {
			return slog.Value{}, false
		}
		return slog.StringValue(d.string(s)), true
	case b == '{' && depth < maxGroups:
		return d.group(depth + 1)
	case b == 't':
		return slog.BoolValue(true), d.word("true")
	case b == 'f':
		return slog.BoolValue(false), d.word("false")
	case b == 'n':
		return slog.AnyValue(nil), d.word("null")
	}
	lo := d.i
	if !d.skip(depth) {
		return slog.Value{}, false
	}
	raw := d.text[lo:d.i]
	if raw[0] == '[' || raw[0] == '{' {
		return slog.AnyValue(safeJSON(raw)), true
	}
	return number(raw), true
}

// group reads an object. One without members is JSON: slog leaves empty groups out.
func (d *decoder) group(depth int) (slog.Value, bool) {
	d.i++
	base := len(d.attrs)
	for first := true; ; first = false {
		key, more, ok := d.key(first)
		if !more {
			members := slices.Clone(d.attrs[base:])
			d.attrs = d.attrs[:base]
			if len(members) == 0 {
				return slog.AnyValue(JSON("{}")), ok
			}
			return slog.GroupValue(members...), ok
		}
		v, ok := d.value(depth)
		if !ok {
			return slog.Value{}, false
		}
		d.attrs = append(d.attrs, slog.Attr{Key: d.name(key), Value: v})
	}
}

// string returns what a JSON string holds, safe to show.
func (d *decoder) string(s span) string {
	if s.clean {
		return d.text[s.lo:s.hi]
	}
	return unescape(d.text[s.lo:s.hi])
}

// name returns a key. slog gives the empty one a meaning of its own, so it becomes two quotes.
func (d *decoder) name(key span) string {
	if key.hi == key.lo {
		return `""`
	}
	return d.string(key)
}
