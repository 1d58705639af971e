package manifest

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"golang.org/x/mod/semver"
)

// Name is the manifest's in a set.
const Name = "template.yaml"

// Builtin is what a set extends that says nothing else.
const Builtin = "builtin"

// Manifest says what a template set is.
type Manifest struct {
	File        string // as in errors
	Set         string // its name
	Description string
	// MinVersion is the oldest plugingen that the set works with; empty means any.
	MinVersion string
	// Extends is the set that this one is laid over.
	Extends   Text
	Kinds     []string
	Variables []*Variable // in the order of the file
	Files     []FileRule  // in the order of the file
	Post      []string    // steps of PostSteps that the set asks for
}

// Text is a text and where it stands.
type Text struct {
	Text         string
	Line, Column int
}

// FileRule says something about the files that match its pattern.
type FileRule struct {
	Pattern Text
	When    Text
	Rename  Text
	Policy  string
	Mode    fs.FileMode
}

// Kinds are the kinds of a set: each is a folder in it.
func Kinds() []string { return []string{"plugin", "host", "contract", "partials"} }

// PostSteps are what a set may ask for once its files are rendered. There are no others.
func PostSteps() []string { return []string{"tidy", "git-init"} }

// setName is the grammar of a set's name.
var setName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)

// Parse reads a manifest that goes by the name file in errors.
func Parse(file string, data []byte) (*Manifest, error) {
	r := &reader{file: file}
	m := &Manifest{File: file}
	root := r.parse(data)
	if root == nil {
		if len(r.faults) == 0 {
			r.faults = append(r.faults, &Error{File: file, Line: 1, Column: 1, Why: "it is empty"})
		}
		return nil, r.err()
	}
	seen := map[string]bool{}
	keys := r.manifestKeys(m)
	for key, read := range keys {
		keys[key] = func(n *yaml.Node) { seen[key] = true; read(n) }
	}
	r.mapping(root, "the manifest", keys)
	for _, key := range []string{"schema", "name", "kinds"} {
		if root.Kind == yaml.MappingNode && !seen[key] {
			r.fault(root, "the key %s is missing", key)
		}
	}
	if len(r.faults) > 0 {
		return nil, r.err()
	}
	if m.Extends.Text == "" {
		m.Extends.Text = Builtin
	}
	return m, nil
}

func (r *reader) manifestKeys(m *Manifest) keyed {
	return keyed{
		"schema": r.schema,
		"name": func(n *yaml.Node) {
			if m.Set, _ = r.text(n, "name"); !setName.MatchString(m.Set) {
				r.fault(n, "name %q: a name is a lower-case letter, then up to 62 lower-case letters, digits and hyphens", m.Set)
			}
		},
		"description": func(n *yaml.Node) { m.Description = r.line(n, "description") },
		"plugingen":   func(n *yaml.Node) { m.MinVersion = r.version(n) },
		"extends":     func(n *yaml.Node) { m.Extends = r.placed(n, "extends") },
		"kinds": func(n *yaml.Node) {
			if m.Kinds = r.words(n, "kinds", Kinds()); len(m.Kinds) == 0 {
				r.fault(n, "kinds is empty; name one at least of %s", strings.Join(Kinds(), ", "))
			}
		},
		"variables": func(n *yaml.Node) { m.Variables = r.variables(n) },
		"files":     func(n *yaml.Node) { m.Files = r.files(n) },
		"post":      func(n *yaml.Node) { m.Post = r.words(n, "post", PostSteps()) },
	}
}

// words reads a list of words out of a few, each once.
func (r *reader) words(n *yaml.Node, what string, known []string) []string {
	list := r.list(n, what)
	for i, word := range list {
		switch {
		case !slices.Contains(known, word):
			r.fault(n, "%s: %q is unknown; %s", what, word, suggest(word, known))
		case slices.Contains(list[:i], word):
			r.fault(n, "%s: %q is there twice", what, word)
		}
	}
	return list
}

func (r *reader) placed(n *yaml.Node, what string) Text {
	s, _ := r.text(n, what)
	return Text{s, n.Line, n.Column}
}

// version reads a version of plugingen. 1.0 without quotes is a number to YAML, and as good here.
func (r *reader) version(n *yaml.Node) string {
	v := "v" + strings.TrimPrefix(n.Value, "v")
	if n.Kind != yaml.ScalarNode || !semver.IsValid(v) {
		r.fault(n, "plugingen is the oldest version that the set works with, such as 0.1.0")
		return ""
	}
	return v
}

func (r *reader) files(n *yaml.Node) []FileRule {
	var rules []FileRule
	r.each(n, "files", func(k, v *yaml.Node) {
		rule := FileRule{Pattern: Text{k.Value, k.Line, k.Column}}
		if reason := checkPattern(k.Value); reason != "" {
			r.fault(k, "the file %q %s", k.Value, reason)
		}
		r.mapping(v, "the rule of "+k.Value, r.ruleKeys(&rule))
		rules = append(rules, rule)
	})
	return rules
}

func (r *reader) ruleKeys(rule *FileRule) keyed {
	return keyed{
		"when":   func(n *yaml.Node) { rule.When = r.condition(n) },
		"rename": func(n *yaml.Node) { rule.Rename = r.placed(n, "rename") },
		"policy": func(n *yaml.Node) { rule.Policy = r.oneOf(n, "policy", []string{"generated", "scaffolded"}) },
		"mode":   func(n *yaml.Node) { rule.Mode = r.mode(n) },
	}
}

// condition reads what could stand in {{if}}; true and false may stand there bare.
func (r *reader) condition(n *yaml.Node) Text {
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!bool" {
		return Text{strings.ToLower(n.Value), n.Line, n.Column}
	}
	t := r.placed(n, "when")
	if strings.TrimSpace(t.Text) == "" || strings.Contains(t.Text, "{{") || strings.Contains(t.Text, "}}") {
		r.fault(n, `when is a condition without braces, such as .Vars.ci or eq .Vars.ci "github"`)
	}
	return t
}

func (r *reader) mode(n *yaml.Node) fs.FileMode {
	switch n.Value {
	case "0644", "0o644":
		return 0o644
	case "0755", "0o755":
		return 0o755
	}
	r.fault(n, "mode is 0644, or 0755 for a program")
	return 0
}

// checkPattern says what is wrong with the pattern of a rule; nothing when it names files below the folder of a kind.
func checkPattern(pattern string) string {
	clean := strings.TrimSuffix(pattern, "/**")
	folder, rest, _ := strings.Cut(clean, "/")
	if _, err := path.Match(clean, "x"); err != nil {
		return "is not a pattern"
	}
	switch {
	case path.IsAbs(pattern) || path.Clean(clean) != clean || strings.Contains(pattern, `\`):
		return "is not a path in the set"
	case !slices.Contains(Kinds(), folder) || folder == "partials":
		return "is not below plugin/, host/ or contract/"
	case rest == "" && clean == pattern:
		return "is a folder; DIR/** is everything in it"
	case strings.Contains(clean, "**"):
		return "has a ** that is not its end"
	}
	return ""
}
