package manifest

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Variable is something that the templates of a set want to know.
type Variable struct {
	Name         string
	File         string
	Line, Column int
	Type         string
	Prompt, Help string
	// Default is nil where there is none.
	Default  any
	Choices  []string
	Required bool
	Secret   bool
	When     Text // empty means always
	// Computed is a template for the value, which is never asked for; empty means that it is.
	Computed Text
	pattern  *regexp.Regexp
}

// Types are the types that variables have.
func Types() []string { return []string{"string", "bool", "int", "enum", "list"} }

const (
	maxText = 1024
	maxList = 256
)

var variableName = regexp.MustCompile(`^[a-z][A-Za-z0-9_]{0,62}$`)

func (r *reader) variables(n *yaml.Node) []*Variable {
	var list []*Variable
	r.each(n, "variables", func(k, v *yaml.Node) {
		if !variableName.MatchString(k.Value) {
			r.fault(k, "variable %q: a name is a lower-case letter, then letters, digits and underscores", k.Value)
		}
		list = append(list, r.variable(k, v))
	})
	return list
}

func (r *reader) variable(k, n *yaml.Node) *Variable {
	v := &Variable{Name: k.Value, File: r.file, Line: k.Line, Column: k.Column}
	at := map[string]*yaml.Node{}
	r.mapping(n, "the variable "+v.Name, r.variableKeys(v, at))
	if n.Kind == yaml.MappingNode {
		r.checkVariable(v, k, at)
	}
	return v
}

// variableKeys keeps in at where the values stand that are looked at together.
func (r *reader) variableKeys(v *Variable, at map[string]*yaml.Node) keyed {
	return keyed{
		"type":     func(n *yaml.Node) { v.Type = r.oneOf(n, "type", Types()) },
		"prompt":   func(n *yaml.Node) { v.Prompt = r.line(n, "prompt") },
		"help":     func(n *yaml.Node) { v.Help = r.line(n, "help") },
		"choices":  func(n *yaml.Node) { at["choices"] = n; v.Choices = r.list(n, "choices") },
		"required": func(n *yaml.Node) { at["required"] = n; v.Required = r.boolean(n, "required") },
		"secret":   func(n *yaml.Node) { at["secret"] = n; v.Secret = r.boolean(n, "secret") },
		"pattern":  func(n *yaml.Node) { at["pattern"] = n; v.pattern = r.pattern(n) },
		"when":     func(n *yaml.Node) { v.When = r.condition(n) },
		"computed": func(n *yaml.Node) { at["computed"] = n; v.Computed = r.placed(n, "computed") },
		"default":  func(n *yaml.Node) { at["default"] = n },
	}
}

// checkVariable looks at what keys say together.
func (r *reader) checkVariable(v *Variable, k *yaml.Node, at map[string]*yaml.Node) {
	hasChoices := v.Type == "enum" || v.Type == "list"
	switch {
	case v.Type == "":
		r.fault(k, "the variable %s has no type; there are %s", v.Name, strings.Join(Types(), ", "))
		return
	case v.Type == "enum" && len(v.Choices) == 0:
		r.fault(k, "the variable %s is an enum without choices", v.Name)
	case at["choices"] != nil && !hasChoices:
		r.fault(at["choices"], "choices are for enum and list, and %s is %s", v.Name, v.Type)
	case at["pattern"] != nil && v.Type != "string" && v.Type != "list":
		r.fault(at["pattern"], "a pattern is for string and list, and %s is %s", v.Name, v.Type)
	case v.Required && at["default"] != nil:
		r.fault(at["required"], "%s is required and has a default: one of them is meaningless", v.Name)
	case at["computed"] != nil && (at["default"] != nil || v.Required || v.Secret):
		r.fault(at["computed"], "%s is computed: it is not asked for, and has no default", v.Name)
	case at["computed"] != nil && v.Type != "string":
		r.fault(at["computed"], "what is computed is a string, and %s is %s", v.Name, v.Type)
	}
	for _, c := range v.Choices {
		if err := checkLine(c); err != nil || c == "" || strings.Contains(c, ",") {
			r.fault(at["choices"], "the choice %+q: a choice is a text on one line, without commas", c)
		}
	}
	if d := at["default"]; d != nil {
		r.defaultOf(v, d)
	}
}

func (r *reader) defaultOf(v *Variable, n *yaml.Node) {
	value, ok := r.value(n, "the default of "+v.Name)
	if !ok {
		return
	}
	var err error
	if v.Default, err = v.Convert(value); err != nil {
		r.fault(n, "the default of %s: %v", v.Name, err)
	}
}

func (r *reader) pattern(n *yaml.Node) *regexp.Regexp {
	s, ok := r.text(n, "pattern")
	if !ok {
		return nil
	}
	if len(s) > maxText {
		r.fault(n, "the pattern is longer than %d bytes", maxText)
		return nil
	}
	if _, err := regexp.Compile(s); err != nil {
		r.fault(n, "the pattern is not a regular expression: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		return nil
	}
	re, err := regexp.Compile(`^(?:` + s + `)$`)
	if err != nil {
		r.fault(n, "the pattern is too large")
	}
	return re
}

// Pattern is the regular expression that a value has to match as a whole; empty without one.
func (v *Variable) Pattern() string {
	if v.pattern == nil {
		return ""
	}
	return strings.TrimSuffix(strings.TrimPrefix(v.pattern.String(), "^(?:"), ")$")
}

// Zero is the value of a variable that nobody gave one.
func (v *Variable) Zero() any {
	switch v.Type {
	case "bool":
		return false
	case "int":
		return 0
	case "list":
		return []string{}
	}
	return ""
}

// Parse reads a value as people type it.
func (v *Variable) Parse(text string) (any, error) {
	switch v.Type {
	case "bool":
		switch strings.ToLower(strings.TrimSpace(text)) {
		case "true", "yes", "y":
			return true, nil
		case "false", "no", "n":
			return false, nil
		}
		return nil, errors.New("say true or false")
	case "int":
		i, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil {
			return nil, errors.New("say a whole number")
		}
		return i, nil
	case "list":
		list := []string{}
		for part := range strings.SplitSeq(text, ",") {
			if part = strings.TrimSpace(part); part != "" {
				list = append(list, part)
			}
		}
		return v.Convert(list)
	}
	return v.Convert(text)
}

// Convert checks a value that comes from a file or from code. It returns a string, a bool, an int or a []string.
func (v *Variable) Convert(value any) (any, error) {
	switch v.Type {
	case "bool":
		if b, ok := value.(bool); ok {
			return b, nil
		}
		return nil, fmt.Errorf("it has to be true or false, and is %s", describe(value))
	case "int":
		return toInt(value)
	case "list":
		return v.toList(value)
	}
	s, ok := value.(string)
	if !ok {
		return nil, fmt.Errorf("it has to be a text, and is %s", describe(value))
	}
	return s, v.checkText(s)
}

func (v *Variable) checkText(s string) error {
	if err := checkLine(s); err != nil {
		return err
	}
	switch {
	case v.Type == "enum" && !slices.Contains(v.Choices, s):
		return fmt.Errorf("%+q is not one of %s", s, strings.Join(v.Choices, ", "))
	case v.Required && s == "":
		return errors.New("it is empty")
	case v.pattern != nil && !v.pattern.MatchString(s):
		return fmt.Errorf("%+q does not match %s", s, v.Pattern())
	}
	return nil
}

func (v *Variable) toList(value any) (any, error) {
	var list []string
	switch l := value.(type) {
	case []string:
		list = slices.Clone(l)
	case []any:
		for _, item := range l {
			s, ok := item.(string)
			if !ok {
				return nil, fmt.Errorf("an element of the list is %s; it has to be a text", describe(item))
			}
			list = append(list, s)
		}
	default:
		return nil, fmt.Errorf("it has to be a list of texts, and is %s", describe(value))
	}
	if len(list) > maxList {
		return nil, fmt.Errorf("the list has more than %d elements", maxList)
	}
	if v.Required && len(list) == 0 {
		return nil, errors.New("it is empty")
	}
	for _, s := range list {
		if err := v.checkElement(s); err != nil {
			return nil, err
		}
	}
	if list == nil {
		list = []string{}
	}
	return list, nil
}

func (v *Variable) checkElement(s string) error {
	if err := checkLine(s); err != nil {
		return err
	}
	switch {
	case s == "" || strings.Contains(s, ",") || strings.TrimSpace(s) != s:
		return fmt.Errorf("the element %+q is empty, has a comma, or starts or ends with a blank", s)
	case len(v.Choices) > 0 && !slices.Contains(v.Choices, s):
		return fmt.Errorf("%+q is not one of %s", s, strings.Join(v.Choices, ", "))
	case v.pattern != nil && !v.pattern.MatchString(s):
		return fmt.Errorf("%+q does not match %s", s, v.Pattern())
	}
	return nil
}

// toInt takes the float64 of JSON, too.
func toInt(value any) (any, error) {
	switch n := value.(type) {
	case int:
		return n, nil
	case int64:
		return int(n), nil
	case float64:
		if n == math.Trunc(n) && math.Abs(n) < 1<<53 {
			return int(n), nil
		}
	}
	return nil, fmt.Errorf("it has to be a whole number, and is %s", describe(value))
}

func describe(value any) string {
	switch value.(type) {
	case string:
		return "a text"
	case bool:
		return "true or false"
	case int, int64, float64:
		return "a number"
	case []string, []any:
		return "a list"
	case nil:
		return "empty"
	}
	return fmt.Sprintf("a %T", value)
}

// checkLine refuses what would not show as what it is.
func checkLine(s string) error {
	switch {
	case len(s) > maxText:
		return fmt.Errorf("is longer than %d bytes", maxText)
	case !utf8.ValidString(s):
		return errors.New("is not valid UTF-8")
	}
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return fmt.Errorf("has the character %+q, which does not show", r)
		}
	}
	return nil
}

// CheckText refuses a text that is not of one printable line.
func CheckText(s string) error { return checkLine(s) }
