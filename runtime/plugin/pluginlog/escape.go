package pluginlog

import "unicode/utf8"

const hex = "0123456789abcdef"

// appendString writes s as a JSON string.
func appendString(buf []byte, s string) []byte {
	buf = append(buf, '"')
	buf = appendEscaped(buf, s)
	return append(buf, '"')
}

// appendPrefix writes what keys of the group begin with.
func appendPrefix(buf []byte, group string) []byte {
	return append(appendEscaped(buf, group), '.')
}

// appendEscaped writes what is between a JSON string's quotes.
func appendEscaped(buf []byte, s string) []byte {
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			buf = appendByte(append(buf, s[start:i]...), c)
			i++
			start = i
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			buf = append(append(buf, s[start:i]...), "\ufffd"...)
			start = i + 1
		}
		i += n
	}
	return append(buf, s[start:]...)
}

// appendByte writes an ASCII character that cannot stand for itself.
func appendByte(buf []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(buf, '\\', c)
	case '\n':
		return append(buf, '\\', 'n')
	case '\r':
		return append(buf, '\\', 'r')
	case '\t':
		return append(buf, '\\', 't')
	}
	return append(buf, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
}
