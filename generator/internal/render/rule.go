package render

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// Rule says something about the files of a set that match its pattern. Later rules go before earlier ones, field by field.
type Rule struct {
	// Pattern is a path in the set, in which * and ? stand for parts of one name; DIR/** is everything below DIR.
	Pattern string
	When    Expression  // empty means always
	Rename  Expression  // empty means what the template's own name says
	Policy  string      // generated, scaffolded, or empty
	Mode    fs.FileMode // zero means the usual one
}

// Matches says whether the rule is about the file at the path.
func (r Rule) Matches(name string) bool {
	if dir, below := strings.CutSuffix(r.Pattern, "/**"); below {
		return strings.HasPrefix(name, dir+"/")
	}
	matched, err := path.Match(r.Pattern, name)
	return matched && err == nil
}

// rule is all that the rules say about one file.
func (s *Set) rule(name string) Rule {
	var sum Rule
	for _, r := range s.rules {
		if !r.Matches(name) {
			continue
		}
		if r.When.Text != "" {
			sum.When = r.When
		}
		if r.Rename.Text != "" {
			sum.Rename = r.Rename
		}
		if r.Policy != "" {
			sum.Policy = r.Policy
		}
		if r.Mode != 0 {
			sum.Mode = r.Mode
		}
	}
	return sum
}

// Expression is a template in a manifest.
type Expression struct {
	Text string
	// File, Line and Column are where it stands.
	File         string
	Line, Column int
}

// Value renders the expression as text.
func (e Expression) Value(data any) (string, error) {
	t, err := newTemplate(e.File, "x.txt").Parse(e.Text)
	if err != nil {
		return "", e.fault(err)
	}
	guardAll(t, nil)
	var b limited
	if err := t.Execute(&b, data); err != nil {
		return "", e.fault(err)
	}
	return b.String(), nil
}

// True says whether the condition holds: the expression is one that could stand in {{if}}, without braces.
func (e Expression) True(data any) (bool, error) {
	e.Text = "{{if " + strings.TrimSpace(e.Text) + "}}true{{end}}"
	text, err := e.Value(data)
	return text == "true", err
}

// Check parses the expression, as a condition or as a text.
func (e Expression) Check(condition bool) error {
	text := e.Text
	if condition {
		text = "{{if " + strings.TrimSpace(text) + "}}{{end}}"
	}
	if _, err := newTemplate(e.File, "x.txt").Parse(text); err != nil {
		return e.fault(err)
	}
	return nil
}

// fault puts the error where the expression stands: its own lines and columns say nothing to who reads the manifest.
func (e Expression) fault(err error) *Error {
	found := locate(e.File, "", err)
	return &Error{Template: e.File, Line: e.Line, Column: e.Column, Err: fmt.Errorf("%q: %w", e.Text, found.Err)}
}
