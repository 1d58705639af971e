package lock

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/plugingen/plugingen/generator/tree"
)

// Error says what is wrong with a plugingen.lock, and where.
type Error struct {
	Line, Column int
	Why          string
}

// Error is LINE:COLUMN: and the reason.
func (e *Error) Error() string { return fmt.Sprintf("%d:%d: %s", e.Line, e.Column, e.Why) }

// keys are the values that a lock has at most once each, in this order.
var keys = []string{"lock", "generator", "kind", "name", "module", "interface", "contract", "runtime", "template", "version", "hash"} //nolint:gochecknoglobals // a table that nobody writes to

// Parse reads the file. It takes only what Format writes, besides comments, blank lines and the line endings of
// Windows: keys in their order, files sorted, names that are safe, texts that have the hash that is beside them.
// The error is an *Error.
func Parse(data []byte) (*Lock, error) {
	if bytes.HasSuffix(firstLine(data), []byte("\r\n")) {
		data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	}
	p := parser{rest: data}
	if err := p.values(); err != nil {
		return nil, err
	}
	if err := p.answers(); err != nil {
		return nil, err
	}
	for !p.ended() {
		if err := p.file(); err != nil {
			return nil, err
		}
	}
	return &p.lock, nil
}

func firstLine(data []byte) []byte {
	for line := range bytes.Lines(data) {
		return line
	}
	return nil
}

type parser struct {
	rest  []byte
	line  int
	lock  Lock
	names tree.Tree // refuses names that are unsafe, or there already
}

func (p *parser) fault(column int, format string, args ...any) error {
	return &Error{Line: p.line, Column: column, Why: fmt.Sprintf(format, args...)}
}

// peek is the next line that is neither a comment nor blank, without its newline; empty at the end.
func (p *parser) peek() string {
	for len(p.rest) > 0 {
		line, _, _ := bytes.Cut(p.rest, []byte("\n"))
		if len(line) > 0 && line[0] != '#' {
			return string(line)
		}
		p.skip()
	}
	return ""
}

// skip goes on to the next line.
func (p *parser) skip() {
	p.line++
	_, p.rest, _ = bytes.Cut(p.rest, []byte("\n"))
}

func (p *parser) ended() bool { return p.peek() == "" }

// next is peek for a line that will be read.
func (p *parser) next() string {
	line := p.peek()
	p.skip()
	return line
}

func (p *parser) values() error {
	var values [11]string
	if line := p.next(); line != "lock "+Version {
		if strings.HasPrefix(line, "lock ") {
			return p.fault(6, "this is version %+q of the format, and this plugingen knows version %s: use a newer one", line[5:], Version)
		}
		return p.fault(1, "it does not start with lock %s: it is not a plugingen.lock, or it is damaged", Version)
	}
	for at := 1; ; {
		key, rest, _ := strings.Cut(p.peek(), " ")
		i := indexOf(key, keys)
		if i < 0 {
			break
		}
		p.skip()
		if i < at {
			return p.fault(1, "%s is not expected here", key)
		}
		value, err := p.word(len(key)+2, rest)
		if err != nil {
			return err
		}
		values[i], at = value, i+1
	}
	l := &p.lock
	for i, to := range []*string{
		nil, &l.Generator, &l.Kind, &l.Name, &l.Module, &l.Interface, &l.Contract, &l.Runtime, &l.Template.Origin, &l.Template.Version, &l.Template.Hash,
	} {
		if to != nil {
			*to = values[i]
		}
	}
	return p.required()
}

// required wants what every project has.
func (p *parser) required() error {
	switch l := p.lock; {
	case l.Kind != "plugin" && l.Kind != "host":
		return p.fault(1, "kind is neither plugin nor host")
	case l.Name == "" || l.Module == "" || l.Generator == "":
		return p.fault(1, "generator, name or module is missing")
	case l.Interface != "" && l.Contract != "":
		return p.fault(1, "there are an interface and a contract, which exclude each other")
	case l.Template.Origin == "" && l.Template != Template{}:
		return p.fault(1, "there is a version or a hash without a template")
	}
	return nil
}

func indexOf(key string, keys []string) int {
	for i, k := range keys {
		if k == key {
			return i
		}
	}
	return -1
}

// word reads a value that takes the rest of a line. Each value has one way to be written.
func (p *parser) word(column int, text string) (string, error) {
	value := text
	if strings.HasPrefix(text, `"`) {
		var err error
		if value, err = strconv.Unquote(text); err != nil {
			return "", p.fault(column, "%+q is not a quoted text", text)
		}
	}
	switch {
	case value == "":
		return "", p.fault(column, "a value is missing")
	case !utf8.ValidString(value) || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "", p.fault(column, "the value has characters that no value has")
	case word(value) != text:
		return "", p.fault(column, "%+q has to be written as %s", text, word(value))
	}
	return value, nil
}

func (p *parser) answers() error {
	last := ""
	for {
		key, rest, _ := strings.Cut(p.peek(), " ")
		if key != "answer" && key != "secret" {
			return nil
		}
		p.skip()
		name, text, _ := strings.Cut(rest, " ")
		if _, err := p.word(len(key)+2, name); err != nil {
			return err
		}
		if name <= last {
			return p.fault(len(key)+2, "%s is not in its place: names are sorted, and each is there once", name)
		}
		last = name
		a := Answer{Name: name}
		if key == "answer" {
			var err error
			if a.Value, err = p.value(len(key)+len(name)+3, text); err != nil {
				return err
			}
		} else if text != "" {
			return p.fault(len(key)+len(name)+3, "a secret has no value here")
		}
		p.lock.Answers = append(p.lock.Answers, a)
	}
}

// value reads a string, a bool, a whole number or a list of strings.
func (p *parser) value(column int, text string) (any, error) {
	var raw any
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		return nil, p.fault(column, "%+q is not a value", text)
	}
	switch v := raw.(type) {
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			raw = int(v)
		} else {
			raw = nil
		}
	case []any:
		list := []string{}
		for _, e := range v {
			s, ok := e.(string)
			if !ok {
				return nil, p.fault(column, "a list has something else than texts")
			}
			list = append(list, s)
		}
		raw = list
	case string, bool:
	default:
		raw = nil
	}
	if raw == nil || jsonText(raw) != text {
		return nil, p.fault(column, "%+q is not a text, true, false, a whole number or a list of texts as plugingen writes it", text)
	}
	return raw, nil
}

// fileLine is: file PATH OWNER MODE HASH ENCODING.
var fileLine = regexp.MustCompile(`^file (.+) (scaffolded|generated) ([0-7]{3}) ([0-9a-f]{64}) (text|base64|hash|secret)$`)

func (p *parser) file() error {
	line := p.next()
	m := fileLine.FindStringSubmatch(line)
	if m == nil {
		return p.fault(1, "%.60q is not what plugingen writes here", line)
	}
	f := File{Hash: m[4]}
	var err error
	if f.Path, err = p.word(6, m[1]); err != nil {
		return err
	}
	if err := p.names.Add(tree.File{Path: f.Path}); err != nil {
		return p.fault(6, "%v", err)
	}
	if strings.EqualFold(f.Path, Name) {
		return p.fault(6, "a lock does not record itself")
	}
	if n := len(p.lock.Files); n > 0 && f.Path <= p.lock.Files[n-1].Path {
		return p.fault(6, "%s is not in its place: files are sorted, and each is there once", m[1])
	}
	if m[2] == tree.Generated.String() {
		f.Owner = tree.Generated
	}
	mode, _ := strconv.ParseUint(m[3], 8, 32) // the expression lets nothing else through
	if f.Mode = fs.FileMode(mode); f.Mode&0o600 != 0o600 {
		return p.fault(6, "the mode %s keeps the owner from the file", m[3])
	}
	start := p.line
	if bytes.HasPrefix(p.rest, []byte(fromKey)) {
		if f.From, err = p.word(len(fromKey)+1, strings.TrimPrefix(p.next(), fromKey)); err != nil {
			return err
		}
	}
	if f.Text, err = p.content(m[5]); err != nil {
		return err
	}
	f.Secret = m[5] == asSecret
	if f.Text != nil && (f.encoding() != m[5] || Sum(f.Text) != f.Hash) {
		p.line = start
		return p.fault(6, "the content of %s does not have the hash beside it: the lock was edited or damaged", m[1])
	}
	p.lock.Files = append(p.lock.Files, f)
	return nil
}

func (p *parser) content(encoding string) ([]byte, error) {
	switch encoding {
	case asText:
		return p.text(), nil
	case asBase64:
		return p.base64()
	}
	return nil, nil
}

// text reads the lines of a text; blank lines and comments in between are none of it, and end it.
func (p *parser) text() []byte {
	text := []byte{}
	for bytes.HasPrefix(p.rest, []byte(textSign)) {
		line, _, _ := bytes.Cut(p.rest[1:], []byte("\n"))
		text = append(append(text, line...), '\n')
		p.skip()
	}
	if bytes.HasPrefix(p.rest, []byte(noNewline+"\n")) {
		text = bytes.TrimSuffix(text, []byte("\n"))
		p.skip()
	}
	return text
}

func (p *parser) base64() ([]byte, error) {
	data := []byte{}
	for bytes.HasPrefix(p.rest, []byte(base64Sign)) {
		line, _, _ := bytes.Cut(p.rest[1:], []byte("\n"))
		part, err := base64.StdEncoding.Strict().DecodeString(string(line))
		p.skip()
		if err != nil {
			return nil, p.fault(2, "this is not base64")
		}
		data = append(data, part...)
	}
	return data, nil
}
