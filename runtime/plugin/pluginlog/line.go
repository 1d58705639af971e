package pluginlog

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"reflect"
	"runtime"
	"strconv"
	"time"
)

// timestamp is hclog's layout. A host of go-plugin takes a line with any other for a text.
const timestamp = "2006-01-02T15:04:05.000000Z07:00"

// line is a record on its way to be bytes.
type line struct {
	buf    []byte
	prefix []byte // of the keys that come: the groups that they are in, escaped
}

// begin writes what is the line's own, the level first: hosts look for it before anything else.
func (l *line) begin(r slog.Record, own []byte, source bool) {
	name, exact := levelName(r.Level)
	l.buf = append(l.buf, `{"@level":"`...)
	l.buf = append(l.buf, name...)
	l.buf = append(l.buf, `","@message":`...)
	l.buf = appendString(l.buf, r.Message)
	l.buf = append(l.buf, own...)
	if source && r.PC != 0 {
		l.caller(r.PC)
	}
	if year := r.Time.Year(); !r.Time.IsZero() && year >= 0 && year <= 9999 {
		l.buf = append(l.buf, `,"@timestamp":"`...)
		l.buf = r.Time.AppendFormat(l.buf, timestamp)
		l.buf = append(l.buf, '"')
	}
	if !exact {
		l.buf = append(l.buf, `,"level_name":"`...)
		l.buf = append(l.buf, r.Level.String()...)
		l.buf = append(l.buf, '"')
	}
}

// levelName is hclog's name of the level; exact when it says it all.
func levelName(level slog.Level) (name string, exact bool) {
	switch {
	case level < slog.LevelDebug:
		return "trace", level == LevelTrace
	case level < slog.LevelInfo:
		return "debug", level == slog.LevelDebug
	case level < slog.LevelWarn:
		return "info", level == slog.LevelInfo
	case level < slog.LevelError:
		return "warn", level == slog.LevelWarn
	}
	return "error", level == slog.LevelError
}

func (l *line) caller(pc uintptr) {
	frame, _ := runtime.CallersFrames([]uintptr{pc}).Next()
	l.buf = append(l.buf, `,"@caller":`...)
	l.buf = appendString(l.buf, frame.File+":"+strconv.Itoa(frame.Line))
}

// attr writes an attribute, or the members of a group. As slog asks for, an empty attribute is left out, and so is an empty group.
func (l *line) attr(a slog.Attr) {
	a.Value = a.Value.Resolve()
	switch {
	case a.Equal(slog.Attr{}):
	case a.Value.Kind() == slog.KindGroup:
		l.members(a)
	default:
		l.key(a.Key)
		l.value(a.Value)
	}
}

func (l *line) members(group slog.Attr) {
	outer := len(l.prefix)
	if group.Key != "" {
		l.prefix = appendPrefix(l.prefix, group.Key)
	}
	for _, a := range group.Value.Group() {
		l.attr(a)
	}
	l.prefix = l.prefix[:outer]
}

func (l *line) key(key string) {
	l.buf = append(l.buf, ',', '"')
	l.buf = append(l.buf, l.prefix...)
	l.buf = appendEscaped(l.buf, key)
	if len(l.prefix) == 0 && isOwn(key) {
		l.buf = append(l.buf, '_')
	}
	l.buf = append(l.buf, '"', ':')
}

// isOwn tells the keys that are the line's own.
func isOwn(key string) bool {
	switch key {
	case "@level", "@message", "@timestamp", "@module", "@caller":
		return true
	}
	return false
}

func (l *line) value(v slog.Value) {
	switch v.Kind() {
	case slog.KindString:
		l.buf = appendString(l.buf, v.String())
	case slog.KindInt64:
		l.buf = strconv.AppendInt(l.buf, v.Int64(), 10)
	case slog.KindUint64:
		l.buf = strconv.AppendUint(l.buf, v.Uint64(), 10)
	case slog.KindFloat64:
		l.buf = appendFloat(l.buf, v.Float64())
	case slog.KindBool:
		l.buf = strconv.AppendBool(l.buf, v.Bool())
	case slog.KindDuration:
		l.buf = appendString(l.buf, v.Duration().String())
	case slog.KindTime:
		l.buf = append(l.buf, '"')
		l.buf = v.Time().AppendFormat(l.buf, time.RFC3339Nano)
		l.buf = append(l.buf, '"')
	default:
		l.any(v.Any())
	}
}

// any writes a value of a type that slog does not know. Its methods may fail and panic: that costs the value, not the record.
func (l *line) any(v any) {
	start := len(l.buf)
	defer func() {
		if p := recover(); p != nil {
			l.buf = appendPanic(l.buf[:start], v, p)
		}
	}()
	if err, ok := v.(error); ok {
		if _, ok := v.(json.Marshaler); !ok {
			l.buf = appendString(l.buf, err.Error())
			return
		}
	}
	encoder := json.NewEncoder(l)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		l.buf = appendString(l.buf[:start], "!ERROR:"+err.Error())
		return
	}
	l.buf = l.buf[:len(l.buf)-1] // Encode ends with a newline
}

// appendPanic writes, as slog's own handlers do, null for a nil pointer whose method does not take it.
func appendPanic(buf []byte, v, panicked any) []byte {
	if r := reflect.ValueOf(v); r.Kind() == reflect.Pointer && r.IsNil() {
		return append(buf, "null"...)
	}
	return appendString(buf, fmt.Sprintf("!PANIC: %v", panicked))
}

// Write is for the encoder of encoding/json.
func (l *line) Write(p []byte) (int, error) {
	l.buf = append(l.buf, p...)
	return len(p), nil
}

// appendFloat writes a number that no reader takes for an integer, or a text where JSON has no number.
func appendFloat(buf []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return appendString(buf, strconv.FormatFloat(f, 'g', -1, 64))
	}
	start := len(buf)
	buf = strconv.AppendFloat(buf, f, 'g', -1, 64)
	for _, c := range buf[start:] {
		if c == '.' || c == 'e' {
			return buf
		}
	}
	return append(buf, '.', '0')
}
