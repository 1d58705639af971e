package relay

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Escape returns text without anything that could move a terminal's cursor, change its colours or turn the order of
// what is shown: control characters except the tab (C0, DEL, C1), the Unicode line separators and bidirectional
// controls, and bytes that are not UTF-8. They become \n, \r, \x1b, \u202e and the like; backslashes stay as they are.
// All text that a Relay logs has been through it.
func Escape(text string) string {
	i := unsafeIndex(text)
	if i < 0 {
		return text
	}
	var b strings.Builder
	b.Grow(len(text) + 16)
	b.WriteString(text[:i])
	for i < len(text) {
		r, n := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			writeHex(&b, `\x`, uint64(text[i]), 2)
		case isUnsafe(r):
			writeEscaped(&b, r)
		default:
			b.WriteString(text[i : i+n])
		}
		i += n
	}
	return b.String()
}

// unsafeIndex is the place of the first character to escape, or -1.
func unsafeIndex(text string) int {
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c >= ' ' && c < 0x7f || c == '\t' {
			continue
		}
		if c < utf8.RuneSelf {
			return i
		}
		r, n := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && n == 1 || isUnsafe(r) {
			return i
		}
		i += n - 1
	}
	return -1
}

func isUnsafe(r rune) bool {
	switch {
	case r < ' ':
		return r != '\t'
	case r < 0x7f:
		return false
	case r <= 0x9f: // DEL and C1
		return true
	case r < 0x61c:
		return false
	}
	return r == 0x61c || r == 0x200e || r == 0x200f || // marks of direction
		r >= 0x2028 && r <= 0x202e || // line and paragraph separators, embeddings and overrides
		r >= 0x2066 && r <= 0x2069 // isolates
}

func writeEscaped(b *strings.Builder, r rune) {
	switch {
	case r == '\n':
		b.WriteString(`\n`)
	case r == '\r':
		b.WriteString(`\r`)
	case r < utf8.RuneSelf:
		writeHex(b, `\x`, uint64(r), 2)
	default:
		writeHex(b, `\u`, uint64(r), 4)
	}
}

func writeHex(b *strings.Builder, prefix string, v uint64, width int) {
	b.WriteString(prefix)
	digits := strconv.FormatUint(v, 16)
	for range width - len(digits) {
		b.WriteByte('0')
	}
	b.WriteString(digits)
}
