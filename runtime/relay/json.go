package relay

import (
	"log/slog"
	"strconv"
	"strings"
	"unicode/utf8"
)

const maxDepth = 100 // of JSON that is read; what is deeper is text

// span is a piece of a line.
type span struct {
	lo, hi int
	clean  bool // for a string: nothing to unescape or to escape
}

// cursor walks over a line. Its methods check JSON as strictly as encoding/json does, and decode nothing.
type cursor struct {
	line []byte
	i    int
}

func (c *cursor) space() {
	for c.i < len(c.line) {
		switch c.line[c.i] {
		case ' ', '\t', '\r', '\n':
			c.i++
		default:
			return
		}
	}
}

// peek is the next byte after white space, or 0.
func (c *cursor) peek() byte {
	c.space()
	if c.i == len(c.line) {
		return 0
	}
	return c.line[c.i]
}

func (c *cursor) accept(b byte) bool {
	if c.peek() != b || c.i == len(c.line) {
		return false
	}
	c.i++
	return true
}

// str reads a string; the span is what is between the quotes.
func (c *cursor) str() (span, bool) {
	if !c.accept('"') {
		return span{}, false
	}
	s := span{lo: c.i, clean: true}
	for line := c.line; c.i < len(line); c.i++ {
		switch b := line[c.i]; {
		case b == '"':
			s.hi = c.i
			c.i++
			return s, true
		case b == '\\':
			s.clean = false
			if !c.escape() {
				return s, false
			}
		case b < ' ':
			return s, false
		case b >= 0x7f:
			s.clean = false
		}
	}
	return s, false
}

// escape checks an escape sequence and stops at its last byte.
func (c *cursor) escape() bool {
	c.i++
	if c.i == len(c.line) {
		return false
	}
	switch c.line[c.i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
		_, ok := hex4(c.line[c.i+1:])
		c.i += 4
		return ok
	}
	return false
}

func hex4[T string | []byte](digits T) (rune, bool) {
	if len(digits) < 4 {
		return 0, false
	}
	var r rune
	for i := range 4 {
		switch c := digits[i]; {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c|' ' >= 'a' && c|' ' <= 'f':
			r = r<<4 | rune(c|' '-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// skip passes over any value.
func (c *cursor) skip(depth int) bool {
	switch b := c.peek(); b {
	case '"':
		_, ok := c.str()
		return ok
	case '{':
		return depth < maxDepth && c.skipObject(depth+1)
	case '[':
		return depth < maxDepth && c.skipArray(depth+1)
	case 't':
		return c.word("true")
	case 'f':
		return c.word("false")
	case 'n':
		return c.word("null")
	default:
		return c.number()
	}
}

func (c *cursor) skipObject(depth int) bool {
	c.i++
	for first := true; ; first = false {
		_, more, ok := c.key(first)
		if !more {
			return ok
		}
		if !c.skip(depth) {
			return false
		}
	}
}

// key reads the key of an object's next member, up to its colon; more is false at the end of the object, and on a fault.
func (c *cursor) key(first bool) (key span, more, ok bool) {
	if c.accept('}') {
		return span{}, false, true
	}
	if !first && !c.accept(',') {
		return span{}, false, false
	}
	key, ok = c.str()
	if !ok || !c.accept(':') {
		return span{}, false, false
	}
	return key, true, true
}

func (c *cursor) skipArray(depth int) bool {
	c.i++
	for first := true; ; first = false {
		if c.accept(']') {
			return true
		}
		if !first && !c.accept(',') {
			return false
		}
		if !c.skip(depth) {
			return false
		}
	}
}

func (c *cursor) word(word string) bool {
	if !has(c.line[c.i:], word) {
		return false
	}
	c.i += len(word)
	return true
}

func (c *cursor) number() bool {
	if c.i < len(c.line) && c.line[c.i] == '-' {
		c.i++
	}
	if c.i < len(c.line) && c.line[c.i] == '0' {
		c.i++
	} else if c.digits() == 0 {
		return false
	}
	if c.i < len(c.line) && c.line[c.i] == '.' {
		c.i++
		if c.digits() == 0 {
			return false
		}
	}
	if c.i < len(c.line) && c.line[c.i]|' ' == 'e' {
		c.i++
		if c.i < len(c.line) && (c.line[c.i] == '+' || c.line[c.i] == '-') {
			c.i++
		}
		return c.digits() > 0
	}
	return true
}

func (c *cursor) digits() int {
	from := c.i
	for c.i < len(c.line) && c.line[c.i] >= '0' && c.line[c.i] <= '9' {
		c.i++
	}
	return c.i - from
}

// jsonLevel finds the level of a line that begins as a JSON object.
func jsonLevel(line []byte) (slog.Level, bool) {
	c := cursor{line: line}
	if !c.accept('{') {
		return 0, false
	}
	for first := true; ; first = false {
		key, more, _ := c.key(first)
		if !more {
			return 0, false
		}
		if c.peek() == '"' && isLevelKey(line[key.lo:key.hi]) {
			value, ok := c.str()
			if !ok {
				return 0, false
			}
			if level, known := parseLevel(line[value.lo:value.hi]); known {
				return level, true
			}
			continue
		}
		if !c.skip(1) {
			return 0, false
		}
	}
}

func isLevelKey(key []byte) bool {
	switch string(key) {
	case "@level", "level", "lvl", "severity":
		return true
	}
	return false
}

// unescape returns the text of a JSON string, safe to show: what Escape would return for it. Half of a surrogate pair
// stays as it is written.
func unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return Escape(s)
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); {
		if s[i] != '\\' {
			next := strings.IndexByte(s[i:], '\\')
			if next < 0 {
				next = len(s) - i
			}
			b.WriteString(s[i : i+next])
			i += next
			continue
		}
		r, n := unescapeRune(s[i:])
		if r < 0 {
			b.WriteString(s[i : i+n])
		} else {
			b.WriteRune(r)
		}
		i += n
	}
	return Escape(b.String())
}

// unescapeRune decodes the escape sequence at the beginning of s, which is valid; r is -1 for half of a surrogate pair.
func unescapeRune(s string) (r rune, n int) {
	switch s[1] {
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		return unescapeUnicode(s)
	}
	return rune(s[1]), 2
}

func unescapeUnicode(s string) (r rune, n int) {
	r, _ = hex4(s[2:])
	if r < 0xd800 || r > 0xdfff {
		return r, 6
	}
	if r <= 0xdbff && strings.HasPrefix(s[6:], `\u`) {
		if low, ok := hex4(s[8:]); ok && low >= 0xdc00 && low <= 0xdfff {
			return 0x10000 + (r-0xd800)<<10 + (low - 0xdc00), 12
		}
	}
	return -1, 6
}

// JSON is the value of an attribute that is kept as the JSON it came as: an array, a number that fits no type of Go,
// an object without members or nested too deep for groups. slog.JSONHandler writes it as JSON, others write its text.
type JSON string

// MarshalJSON returns the text.
func (j JSON) MarshalJSON() ([]byte, error) { return []byte(j), nil }

// safeJSON escapes, by the rules of JSON, what Escape would escape in a valid JSON text.
func safeJSON(s string) JSON {
	if unsafeIndex(s) < 0 {
		return JSON(s)
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			writeHex(&b, `\\x`, uint64(s[i]), 2)
		case r == '\n' || r == '\r': // white space between values
			b.WriteByte(' ')
		case isUnsafe(r):
			writeHex(&b, `\u`, uint64(r), 4)
		default:
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return JSON(b.String())
}

// number keeps a JSON number exact: an int64, a uint64, else a float64, else its text.
func number(s string) slog.Value {
	if strings.ContainsAny(s, ".eE") {
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return slog.Float64Value(f)
		}
		return slog.AnyValue(JSON(s))
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return slog.Int64Value(n)
	}
	if n, err := strconv.ParseUint(s, 10, 64); err == nil {
		return slog.Uint64Value(n)
	}
	return slog.AnyValue(JSON(s))
}
