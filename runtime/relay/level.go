package relay

import (
	"bytes"
	"log/slog"
	"strings"
	"time"
)

// LevelTrace is the level of hclog's "trace", for which slog has no name; slog.TextHandler shows it as DEBUG-4.
const LevelTrace slog.Level = -8

// parseLevel reads a level's name in any case, as hclog, slog and most other loggers write it: "warn", "WARNING",
// "INFO+2". What is worse than an error is an error.
func parseLevel(name []byte) (slog.Level, bool) {
	var lower [16]byte
	if len(name) > len(lower) {
		return 0, false
	}
	n := 0
	for ; n < len(name); n++ {
		c := name[n]
		if c == '+' || c == '-' {
			break
		}
		lower[n] = c | ' ' // letters become lower case; nothing else becomes a letter that matters
		if c < 'A' || c > 'z' {
			return 0, false
		}
	}
	level, ok := levelByName(string(lower[:n]))
	if !ok || n == len(name) {
		return level, ok
	}
	offset, ok := smallNumber(name[n+1:])
	if name[n] == '-' {
		offset = -offset
	}
	return level + offset, ok
}

func levelByName(name string) (slog.Level, bool) {
	switch name {
	case "trace":
		return LevelTrace, true
	case "debug":
		return slog.LevelDebug, true
	case "info", "notice":
		return slog.LevelInfo, true
	case "warn", "warning":
		return slog.LevelWarn, true
	case "err", "error", "fatal", "critical", "crit", "panic", "dpanic", "alert", "emergency":
		return slog.LevelError, true
	}
	return 0, false
}

func smallNumber(digits []byte) (slog.Level, bool) {
	if len(digits) == 0 || len(digits) > 3 {
		return 0, false
	}
	n := slog.Level(0)
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + slog.Level(c-'0')
	}
	return n, true
}

// form is how a line is written.
type form uint8

const (
	formText    form = iota // a text as it is
	formBracket             // a text after [LEVEL]
	formStamped             // a text after an RFC 3339 time and [LEVEL], as hclog writes it to a terminal
	formJSON
	formLogfmt
)

// classify finds a line's form and level without decoding it. A line that turns out not to have that form after all
// (JSON that is cut off, say) keeps the level.
func classify(line []byte, otherwise slog.Level) (form, slog.Level) {
	f, level, ok := formText, otherwise, false
	switch c := firstByte(line); {
	case c == '{':
		f = formJSON
		level, ok = jsonLevel(line)
	case c == '[':
		f = formBracket
		level, ok = bracketLevel(line)
	case c >= '0' && c <= '9':
		f, level, ok = stampedLevel(line)
	case c == '"' || isKeyByte(c):
		f = formLogfmt
		level, ok = logfmtLevel(line)
	}
	switch {
	case ok:
		return f, level
	case f == formJSON:
		return formJSON, otherwise
	}
	return formText, otherwise
}

func firstByte(line []byte) byte {
	for _, c := range line {
		if c != ' ' && c != '\t' {
			return c
		}
	}
	return 0
}

// bracketLevel reads "[WARN] text".
func bracketLevel(line []byte) (slog.Level, bool) {
	name, ok := bracketed(line)
	if !ok {
		return 0, false
	}
	return parseLevel(bytes.TrimSpace(name))
}

func bracketed(line []byte) (name []byte, ok bool) {
	if len(line) == 0 || line[0] != '[' {
		return nil, false
	}
	end := bytes.IndexByte(line[:min(len(line), 20)], ']')
	if end < 0 {
		return nil, false
	}
	return line[1:end], true
}

// plainPrefix is the length of "[WARN] " in front of a text: what the record's level says as well. Of what it does not
// say, such as [FATAL], nothing is taken away.
func plainPrefix(line []byte) int {
	name, ok := bracketed(line)
	if !ok || !isPlainLevel(bytes.TrimSpace(name)) {
		return 0
	}
	n := len(name) + 2
	return n + len(line[n:]) - len(bytes.TrimLeft(line[n:], " "))
}

// isPlainLevel says whether name says no more than the level that it is read as.
func isPlainLevel(name []byte) bool {
	for _, plain := range []string{"trace", "debug", "info", "warn", "warning", "error"} {
		if len(name) >= len(plain) && bytes.EqualFold(name[:len(plain)], []byte(plain)) &&
			(len(name) == len(plain) || name[len(plain)] == '+' || name[len(plain)] == '-') {
			return true
		}
	}
	return false
}

// stampedLevel reads "2006-01-02T15:04:05.000Z [WARN]  text", "2006/01/02 15:04:05 [WARN] text" and what slog's first
// default logger writes, "2006/01/02 15:04:05 WARN text".
func stampedLevel(line []byte) (form, slog.Level, bool) {
	n := stampLength(line)
	if bytes.IndexByte(line[:n], ':') < 0 {
		return formText, 0, false
	}
	if line[n] != '[' {
		word, _, found := bytes.Cut(line[n:min(len(line), n+20)], []byte(" "))
		level, ok := parseLevel(word)
		return formText, level, ok && found && word[0] <= 'Z'
	}
	level, ok := bracketLevel(line[n:])
	if bytes.IndexByte(line[:n], 'T') > 0 {
		return formStamped, level, ok
	}
	return formText, level, ok
}

// stampLength is the length of digits and such that end in a space, with more behind it.
func stampLength(line []byte) int {
	end := 0
	for i, c := range line[:min(len(line), 40)] {
		switch {
		case c == ' ':
			end = i + 1
		case c >= '0' && c <= '9', c >= '+' && c <= '/', c == ':', c == 'T', c == 'Z': // + , - . /
		case end > 0:
			return end
		default:
			return 0
		}
	}
	return 0
}

// cutStamp splits what stampedLevel found. When the time is none, all of it is text.
func cutStamp(line string) (time.Time, string) {
	stamp, _, _ := strings.Cut(line, " ")
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.000Z0700"} {
		if t, err := time.Parse(layout, stamp); err == nil && !t.IsZero() {
			text := strings.TrimLeft(line[len(stamp):], " ")
			return t, text[plainPrefix([]byte(text)):]
		}
	}
	return time.Time{}, line
}
