package manifest

import "go.yaml.in/yaml/v3"

// SettingsName is the name of the file with a repository's, a team's or a user's defaults.
const SettingsName = "plugingen.yaml"

// Settings are defaults for the making of projects.
type Settings struct {
	File     string
	Template Text // the set to use; empty means that nothing is said
	// Extends is where more settings are, which these go before: the folder, module or repository of a team.
	Extends Text
	// Overrides is a folder whose files are laid over the set, relative to that of the file.
	Overrides Text
	Answers   map[string]any
}

// ParseSettings reads a plugingen.yaml that goes by the name file in errors.
func ParseSettings(file string, data []byte) (*Settings, error) {
	r := &reader{file: file}
	s := &Settings{File: file}
	root := r.parse(data)
	if root == nil {
		return s, r.err()
	}
	r.mapping(root, "the file", keyed{
		"schema":    r.schema,
		"template":  func(n *yaml.Node) { s.Template = r.placed(n, "template") },
		"extends":   func(n *yaml.Node) { s.Extends = r.placed(n, "extends") },
		"overrides": func(n *yaml.Node) { s.Overrides = r.placed(n, "overrides") },
		"answers":   func(n *yaml.Node) { s.Answers = r.answers(n) },
	})
	return s, r.err()
}

// ParseAnswers reads a file of answers: a mapping of variables to values.
func ParseAnswers(file string, data []byte) (map[string]any, error) {
	r := &reader{file: file}
	root := r.parse(data)
	if root == nil {
		return map[string]any{}, r.err()
	}
	answers := r.answers(root)
	return answers, r.err()
}

func (r *reader) answers(n *yaml.Node) map[string]any {
	answers := map[string]any{}
	r.each(n, "answers", func(k, v *yaml.Node) {
		if value, ok := r.value(v, "the answer "+k.Value); ok {
			answers[k.Value] = value
		}
	})
	return answers
}

// Case is one test of a set: answers, and what comes out.
type Case struct {
	Kind            string // plugin or host
	Project, Module string
	Interface       string
	Answers         map[string]any
	Compare         string // own or all
	Build           bool
}

// ParseCase reads the head of a case's archive.
func ParseCase(file string, data []byte) (*Case, error) {
	r := &reader{file: file}
	c := &Case{Kind: "plugin", Project: "my-plugin", Compare: "own", Build: true}
	root := r.parse(data)
	if root == nil {
		return c, r.err()
	}
	plain := func(into *string, what string) func(*yaml.Node) {
		return func(n *yaml.Node) { *into, _ = r.text(n, what) }
	}
	r.mapping(root, "the case", keyed{
		"kind":      func(n *yaml.Node) { c.Kind = r.oneOf(n, "kind", []string{"plugin", "host"}) },
		"name":      plain(&c.Project, "name"),
		"module":    plain(&c.Module, "module"),
		"interface": plain(&c.Interface, "interface"),
		"compare":   func(n *yaml.Node) { c.Compare = r.oneOf(n, "compare", []string{"own", "all"}) },
		"build":     func(n *yaml.Node) { c.Build = r.boolean(n, "build") },
		"answers":   func(n *yaml.Node) { c.Answers = r.answers(n) },
	})
	return c, r.err()
}
