package render

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"
)

// fromSprig are the functions of sprig that templates may use. Each was looked at: it goes by its arguments alone, returns
// the same every time, and makes nothing much larger than what it was given.
func fromSprig() []string {
	return []string{
		"add", "camelcase", "coalesce", "contains", "default", "empty", "first", "has", "hasPrefix", "hasSuffix", "kebabcase", "last", "nospace",
		"replace", "snakecase", "sortAlpha", "splitList", "squote", "sub", "ternary", "trim", "trimAll", "trimPrefix", "trimSuffix", "trunc", "uniq", "without",
	}
}

// fixed are the functions that are the same for every file.
func fixed() template.FuncMap {
	all := sprig.TxtFuncMap()
	list := template.FuncMap{
		"lower": strings.ToLower,
		"upper": strings.ToUpper,
		"join":  func(separator string, list []string) string { return strings.Join(list, separator) },
	}
	for _, name := range fromSprig() {
		list[name] = all[name]
	}
	return list
}

// perFile are the functions that depend on the file.
func perFile(target string) template.FuncMap {
	return template.FuncMap{"quote": quoteFor(target), "comment": commentFor(target)}
}

// functions is the whole list that templates may use besides text/template's own.
func functions() template.FuncMap {
	list := fixed()
	maps.Copy(list, perFile(""))
	return list
}

// Functions names what templates may call besides text/template's own, sorted.
func Functions() []string { return slices.Sorted(maps.Keys(functions())) }

// Refused says why sprig's function name is not among them. It is "" when sprig has none of that name, or when there is one.
func Refused(name string) string {
	if _, ok := functions()[name]; ok {
		return ""
	}
	if _, ok := sprig.TxtFuncMap()[name]; !ok {
		return ""
	}
	if _, ok := sprig.HermeticTxtFuncMap()[name]; !ok || slices.Contains(unsteady(), name) {
		return "it does not return the same every time"
	}
	return "it is not among the functions that templates may use"
}

// unsteady are those of sprig's functions that its own list of repeatable ones has, and that are not.
func unsteady() []string {
	return []string{"ago", "genCA", "genCAWithKey", "genPrivateKey", "genSelfSignedCert", "genSelfSignedCertWithKey", "genSignedCert", "genSignedCertWithKey", "keys", "randInt", "shuffle", "values"}
}

// quoteFor returns a function that puts text between quotes. In Go that makes any text harmless; elsewhere what the text may
// hold depends on who reads the file.
func quoteFor(target string) func(string) (Code, error) {
	switch path.Ext(target) {
	case ".go":
		return func(s string) (Code, error) { return Code(strconv.Quote(s)), nil }
	case ".yml", ".yaml", ".json", ".toml":
		return func(s string) (Code, error) { return Code(strconv.Quote(s)), guardText(s, inQuotes) }
	}
	return func(s string) (Code, error) { return Code(strconv.Quote(s)), guard(s, allowedIn(target)) }
}

// commentFor returns a function that makes every line of text a comment.
func commentFor(target string) func(string) Code {
	if path.Ext(target) == ".go" {
		return comment
	}
	return func(text string) Code {
		var lines []string
		for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
			lines = append(lines, strings.TrimRight("# "+printable(line), ` \`)) // make goes on after a backslash
		}
		return Code(strings.Join(lines, "\n"))
	}
}

// Comment is the text as a Go comment.
func Comment(text string) Code { return comment(text) }

// comment makes every line of text a comment. The blank after the slashes is what keeps a line from being a directive,
// but "// +build" is one with a blank.
func comment(text string) Code {
	var b strings.Builder
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		line = strings.TrimRight(printable(line), " ")
		if strings.HasPrefix(strings.TrimLeft(line, " \t"), "+build") {
			line = "'" + strings.TrimLeft(line, " \t")
		}
		fmt.Fprintln(&b, strings.TrimRight("// "+line, " "))
	}
	return Code(strings.TrimSuffix(b.String(), "\n"))
}
