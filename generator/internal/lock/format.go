package lock

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/plugingen/plugingen/generator/tree"
)

const header = `# ` + tree.Header + `
# It holds what plugingen wrote into this project: "plugingen update" needs it to tell the template's changes from yours.
# Keep it under version control.

`

// The ways to record a file's content.
const (
	asText   = "text"   // its lines, each after a |
	asBase64 = "base64" // after a =
	asHash   = "hash"   // not at all
	asSecret = "secret" // not at all, since it has a secret in it
)

const (
	fromKey    = "from "
	textSign   = "|"
	base64Sign = "="
	// noNewline follows a text whose last line does not end.
	noNewline = `\ no newline at the end`
	// base64Line is how many bytes one line holds.
	base64Line = 57
)

// Format writes the file. The same lock always gives the same bytes, and Parse gives the lock back.
func (l *Lock) Format() []byte {
	var b bytes.Buffer
	b.WriteString(header)
	fmt.Fprintf(&b, "lock %s\n", Version)
	for _, line := range []struct{ key, value string }{
		{"generator", l.Generator},
		{"kind", l.Kind},
		{"name", l.Name},
		{"module", l.Module},
		{"interface", l.Interface},
		{"contract", l.Contract},
		{"runtime", l.Runtime},
		{"template", l.Template.Origin},
		{"version", l.Template.Version},
		{"hash", l.Template.Hash},
	} {
		if line.value != "" {
			fmt.Fprintf(&b, "%s %s\n", line.key, word(line.value))
		}
	}
	for _, a := range l.Answers {
		if a.Value == nil {
			fmt.Fprintf(&b, "secret %s\n", word(a.Name))
		} else {
			fmt.Fprintf(&b, "answer %s %s\n", word(a.Name), jsonText(a.Value))
		}
	}
	for _, f := range l.Files {
		f.format(&b)
	}
	return b.Bytes()
}

func (f File) format(b *bytes.Buffer) {
	fmt.Fprintf(b, "\nfile %s %s %o %s %s\n", word(f.Path), f.Owner, f.Mode.Perm(), f.Hash, f.encoding())
	if f.From != "" {
		fmt.Fprintf(b, "%s%s\n", fromKey, word(f.From))
	}
	switch f.encoding() {
	case asText:
		for line := range bytes.Lines(f.Text) {
			b.WriteString(textSign)
			b.Write(line)
		}
		if len(f.Text) > 0 && f.Text[len(f.Text)-1] != '\n' {
			b.WriteString("\n" + noNewline + "\n")
		}
	case asBase64:
		for rest := f.Text; len(rest) > 0; {
			n := min(len(rest), base64Line)
			b.WriteString(base64Sign + base64.StdEncoding.EncodeToString(rest[:n]) + "\n")
			rest = rest[n:]
		}
	}
}

func (f File) encoding() string {
	switch {
	case f.Secret:
		return asSecret
	case f.Text == nil:
		return asHash
	case isPlain(f.Text):
		return asText
	}
	return asBase64
}

// word writes a value as it is when it is one word that shows as what it is, and in Go's quotes otherwise.
func word(value string) string {
	plain := value != "" && utf8.ValidString(value) && !strings.ContainsAny(value, "\"`\\")
	for _, r := range value {
		plain = plain && r != ' ' && unicode.IsPrint(r)
	}
	if plain {
		return value
	}
	return strconv.QuoteToASCII(value)
}

// jsonText is the value on one line. The kinds of values that there are cannot fail.
func jsonText(value any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(value)
	return strings.TrimSuffix(b.String(), "\n")
}
