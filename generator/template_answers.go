package generator

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/plugingen/plugingen/generator/internal/manifest"
)

// varsData is what expressions about variables see.
type varsData struct {
	Kind, Name, Module string
	Vars               map[string]any
}

// answers finds a value for every variable of the team's set. vars has all of them, recorded those that were not computed.
func (b *builder) answers() (vars map[string]any, recorded map[string]Answer, err error) {
	vars, recorded = map[string]any{}, map[string]Answer{}
	if b.team == nil {
		return vars, recorded, b.checkKnown(nil)
	}
	list, err := b.team.Variables()
	if err != nil {
		return nil, nil, &TemplateError{err}
	}
	if err := b.checkKnown(list); err != nil {
		return nil, nil, err
	}
	data := varsData{b.kind.set, b.req.Name, b.req.Module, vars}
	for _, v := range list {
		value, given, err := b.answer(v, data)
		if err != nil {
			return nil, nil, err
		}
		vars[v.Name] = value
		if given {
			recorded[v.Name] = Answer{Value: value, Secret: v.Secret}
		}
	}
	return vars, recorded, nil
}

// checkKnown refuses answers to what nobody asks.
func (b *builder) checkKnown(list []*manifest.Variable) error {
	if b.req.AllowUnknown {
		return nil
	}
	var names []string
	for _, v := range list {
		if v.Computed.Text == "" {
			names = append(names, v.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.req.Answers)) {
		if !slices.Contains(names, name) {
			return &InputError{What: "variable", Value: name, Reason: "the template does not ask for it", Hint: manifest.Suggest(name, names)}
		}
	}
	return nil
}

// answer is the value of one variable; given says that it is not computed and does matter here.
func (b *builder) answer(v *manifest.Variable, data varsData) (value any, given bool, err error) {
	if v.When.Text != "" {
		yes, err := expression(v.File, v.When).True(data)
		if err != nil {
			return nil, false, &TemplateError{err}
		}
		if !yes {
			return otherwise(v.Default, v.Zero()), false, nil
		}
	}
	if v.Computed.Text != "" {
		text, err := expression(v.File, v.Computed).Value(data)
		if err == nil {
			err = manifest.CheckText(text)
		}
		if err != nil {
			return nil, false, &TemplateError{fmt.Errorf("%s:%d:%d: %s: %w", v.File, v.Computed.Line, v.Computed.Column, v.Name, err)}
		}
		return text, false, nil
	}
	value, err = b.given(v)
	return value, true, err
}

// given is what the request says, what somebody answers, or the default.
func (b *builder) given(v *manifest.Variable) (any, error) {
	if value, ok := b.req.Answers[v.Name]; ok {
		return convert(v, value)
	}
	def := v.Default
	if suggested, ok := b.req.Suggested[v.Name]; ok {
		value, err := convert(v, suggested)
		if err != nil {
			return nil, err
		}
		def = value
	}
	if b.req.Ask != nil {
		value, err := b.req.Ask(question(v, def))
		if err != nil {
			return nil, err
		}
		return convert(v, value)
	}
	if def == nil && v.Required {
		return nil, &InputError{What: "variable", Value: v.Name, Reason: "the template needs a value: " + promptOf(v), Hint: "give it with --var " + v.Name + "=VALUE"}
	}
	return otherwise(def, v.Zero()), nil
}

func otherwise(value, fallback any) any {
	if value == nil {
		return fallback
	}
	return value
}

func convert(v *manifest.Variable, value any) (any, error) {
	read := v.Convert
	if text, ok := value.(Typed); ok {
		read = func(any) (any, error) { return v.Parse(string(text)) }
	}
	converted, err := read(value)
	if err != nil {
		shown := fmt.Sprint(value)
		if v.Secret {
			shown, err = "***", errors.New("it is not what the variable takes")
		}
		return nil, &InputError{What: "value of " + v.Name, Value: shown, Reason: err.Error(), Hint: v.Help}
	}
	return converted, nil
}

func promptOf(v *manifest.Variable) string {
	if v.Prompt == "" {
		return v.Name
	}
	return v.Prompt
}

func question(v *manifest.Variable, def any) Question {
	if def == nil && !v.Required && v.Type != "enum" {
		def = v.Zero()
	}
	return Question{
		Name: v.Name, Type: v.Type, Prompt: promptOf(v), Help: v.Help, Default: def, Choices: slices.Clone(v.Choices), Secret: v.Secret, Check: v.Parse,
	}
}
