package relay

import (
	"log/slog"
	"strconv"
)

// isKeyByte says whether a key of logfmt may have c in it.
func isKeyByte(c byte) bool { return c > ' ' && c != '=' && c != '"' && c != 0x7f }

// pair reads key=value; either may be quoted as Go does. end is true at the end of the line.
func (c *cursor) pair() (key, value span, end, ok bool) {
	if c.peek() == 0 && c.i == len(c.line) {
		return key, value, true, true
	}
	if key, ok = c.token(); !ok || c.i == len(c.line) || c.line[c.i] != '=' {
		return key, value, false, false
	}
	c.i++
	if c.i == len(c.line) || c.line[c.i] == ' ' {
		return key, span{lo: c.i, hi: c.i, clean: true}, false, true
	}
	value, ok = c.valueToken()
	return key, value, false, ok && (c.i == len(c.line) || c.line[c.i] == ' ')
}

// token reads a key. The span of a quoted one holds its quotes, and is not clean.
func (c *cursor) token() (span, bool) {
	if c.line[c.i] == '"' {
		return c.quoted()
	}
	s := span{lo: c.i, clean: true}
	for c.i < len(c.line) && isKeyByte(c.line[c.i]) {
		s.clean = s.clean && c.line[c.i] < 0x7f
		c.i++
	}
	s.hi = c.i
	return s, s.hi > s.lo
}

func (c *cursor) valueToken() (span, bool) {
	if c.line[c.i] == '"' {
		return c.quoted()
	}
	s := span{lo: c.i, clean: true}
	for c.i < len(c.line) && c.line[c.i] > ' ' && c.line[c.i] != '"' {
		s.clean = s.clean && c.line[c.i] < 0x7f
		c.i++
	}
	s.hi = c.i
	return s, true
}

func (c *cursor) quoted() (span, bool) {
	s := span{lo: c.i}
	for c.i++; c.i < len(c.line); c.i++ {
		switch c.line[c.i] {
		case '"':
			c.i++
			s.hi = c.i
			return s, true
		case '\\':
			c.i++
		}
	}
	return s, false
}

// logfmtLevel finds the level of a line of pairs.
func logfmtLevel(line []byte) (slog.Level, bool) {
	c := cursor{line: line}
	for {
		key, value, end, ok := c.pair()
		if end || !ok {
			return 0, false
		}
		if key.clean && isLevelKey(line[key.lo:key.hi]) {
			if level, known := parseLevel(trimQuotes(line[value.lo:value.hi])); known {
				return level, true
			}
		}
	}
}

func trimQuotes(text []byte) []byte {
	if len(text) >= 2 && text[0] == '"' {
		return text[1 : len(text)-1]
	}
	return text
}

// logfmtLine reads the whole line as pairs. Values stay strings: logfmt does not tell a number from a text that looks
// like one.
func (d *decoder) logfmtLine() bool {
	for {
		key, value, end, ok := d.pair()
		if end || !ok {
			return ok
		}
		name, ok1 := d.unquote(key)
		text, ok2 := d.unquote(value)
		if !ok1 || !ok2 {
			return false
		}
		if name == "" {
			name = `""`
		}
		d.attrs = append(d.attrs, slog.String(name, text))
		d.roles.see(len(d.attrs)-1, d.line[key.lo:key.hi], trimQuotes(d.line[value.lo:value.hi]), text)
	}
}

// unquote returns the text of a token, safe to show.
func (d *decoder) unquote(s span) (string, bool) {
	text := d.text[s.lo:s.hi]
	if s.clean {
		return text, true
	}
	if len(text) > 0 && text[0] == '"' {
		var err error
		if text, err = strconv.Unquote(text); err != nil {
			return "", false
		}
	}
	return Escape(text), true
}
