package schema

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/plugingen/plugingen/generator/model"
)

// protoPackage derives a proto package from an import path: example.com/my-plugin/greeter is example_com.my_plugin.greeter.
func protoPackage(importPath string) string {
	parts := strings.Split(strings.ToLower(importPath), "/")
	for i, part := range parts {
		parts[i] = lead(ascii(part, "_"), '_')
	}
	return strings.Join(parts, ".")
}

// ascii replaces what proto identifiers cannot hold: letters of other scripts by their number, other characters by sep.
func ascii(s, sep string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)), r == '_':
			b.WriteRune(r)
		case r < unicode.MaxASCII:
			b.WriteString(sep)
		default:
			fmt.Fprintf(&b, "u%04x", r)
		}
	}
	return b.String()
}

// lead puts a letter before names that begin with a digit or with nothing.
func lead(s string, letter rune) string {
	if s == "" || s[0] >= '0' && s[0] <= '9' {
		return string(letter) + s
	}
	return s
}

// messageWord is a Go identifier as part of a message's name: Greeting, KeyringItem.
func messageWord(goName string) string {
	s := strings.TrimLeft(ascii(goName, ""), "_")
	s = lead(s, 'X')
	return strings.ToUpper(s[:1]) + s[1:]
}

// snake is a Go identifier as a proto field name: userID is user_id, HTTPServer is http_server.
func snake(goName string) string {
	var b strings.Builder
	runes := []rune(ascii(goName, "_"))
	for i, r := range runes {
		if unicode.IsUpper(r) && i > 0 && runes[i-1] != '_' && startsWord(runes, i) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	s := strings.Trim(b.String(), "_")
	return lead(s, 'x')
}

func startsWord(runes []rune, i int) bool {
	return !unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])
}

// squash is what proto's JSON names and Go names make of a name: two fields of a message may not agree in it.
func squash(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }

// typeWord names a type as part of a message's name.
func typeWord(t *model.Type, home string) string {
	if t.IsNamed() {
		return namedWord(t, home)
	}
	switch t.Kind {
	case model.Bytes:
		return "Bytes"
	case model.Slice:
		return typeWord(t.Elem, home) + "Slice"
	case model.Array:
		return fmt.Sprintf("%sArray%d", typeWord(t.Elem, home), t.Len)
	case model.Map:
		return typeWord(t.Key, home) + typeWord(t.Elem, home) + "Map"
	case model.Pointer:
		return typeWord(t.Elem, home) + "Pointer"
	case model.Struct:
		return structWord(t)
	case model.Error:
		return "ErrorValue"
	case model.Live:
		return liveWord(t, home)
	case model.Any:
		return "Any"
	case model.ProtoMessage:
		return typeWord(t.Elem, home) + "Message"
	case model.Time:
		return "Time"
	case model.Duration:
		return "Duration"
	default:
		return messageWord(t.Kind.String())
	}
}

// maxStructWord keeps names of structs without a name readable.
const maxStructWord = 40

// structWord names a struct type without a name by its fields.
func structWord(t *model.Type) string {
	word := ""
	for _, m := range t.Members {
		if next := word + messageWord(m.Name); len(next) <= maxStructWord {
			word = next
		}
	}
	if word == "" {
		return "Empty"
	}
	return word + "Struct"
}

// namedWord has the package's name in front for types of other packages, whether or not there is a clash now:
// a name must not change because another type joins later.
func namedWord(t *model.Type, home string) string {
	word := messageWord(t.Name)
	if t.Package.Path != home {
		word = messageWord(t.Package.Name) + word
	}
	for _, arg := range t.Args {
		word += typeWord(arg, home)
	}
	return word
}
