package manifest_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/plugingen/plugingen/generator/internal/manifest"
)

const head = "schema: 1\nname: x\nkinds: [plugin]\n"

func TestParse(t *testing.T) {
	m, err := manifest.Parse("template.yaml", []byte(`
schema: 1
name: acme
description: How Acme does it.
plugingen: 0.1.0
extends: ../base
kinds: [plugin, partials]
variables:
  owner: {type: string, prompt: "Who?", help: A team., pattern: "@[a-z]+", required: true}
  ci: {type: bool, default: true}
  port: {type: int, default: 80, when: .Vars.ci}
  level: {type: enum, choices: [low, high], default: low}
  tags: {type: list, default: [a, b]}
  token: {type: string, secret: true}
  label: {type: string, computed: "{{.Name}}"}
files:
  plugin/a.tmpl: {when: .Vars.ci, policy: generated, mode: 0755, rename: b}
  plugin/ci/**: {mode: "0644"}
post: [tidy, git-init]
`))
	if err != nil {
		t.Fatal(err)
	}
	if m.Set != "acme" || m.MinVersion != "v0.1.0" || m.Extends.Text != "../base" || len(m.Variables) != 7 || len(m.Files) != 2 || len(m.Post) != 2 {
		t.Errorf("parsed %+v", m)
	}
	names := ""
	for _, v := range m.Variables {
		names += v.Name + " "
	}
	if names != "owner ci port level tags token label " {
		t.Errorf("variables in the order %s", names)
	}
	if got := m.Variables[4].Default; !reflect.DeepEqual(got, []string{"a", "b"}) {
		t.Errorf("default of a list: %#v", got)
	}
	if r := m.Files[0]; r.Mode != 0o755 || r.Policy != "generated" || r.When.Line != 17 || r.Rename.Text != "b" {
		t.Errorf("rule %+v", r)
	}
	if bare, err := manifest.Parse("x", []byte(head)); err != nil || bare.Extends.Text != manifest.Builtin {
		t.Errorf("a bare manifest: %+v, %v", bare, err)
	}
}

// TestFaults are manifests that mean something else than they say, or nothing. The last line of each is at fault.
func TestFaults(t *testing.T) {
	cases := map[string]struct{ text, want string }{
		"unknown key":             {head + "hooks: [x]", "t.yaml:4:1: the manifest has no key \"hooks\""},
		"misspelled key":          {head + "variable: {}", "t.yaml:4:1: the manifest has no key \"variable\"; is it variables?"},
		"key there twice":         {head + "kinds: [host]", "t.yaml:4:1: the key \"kinds\" is there already, in line 3"},
		"twice in a variable":     {head + "variables:\n  a: {type: int, type: bool}", "t.yaml:5:18: the key \"type\" is there already"},
		"anchor":                  {head + "description: &a x", "t.yaml:4:14: anchors (&a) are not used here"},
		"alias":                   {head + "description: &a x\nextends: *a", "t.yaml:5:10: aliases (*a) are not used here"},
		"merge key":               {head + "variables:\n  a: {<<: {type: int}}", "t.yaml:5:7: merge keys (<<) are not used here"},
		"tag":                     {head + "description: !!python/object/apply:os.system [x]", "t.yaml:4:14: tags (!!python/object/apply:os.system) are not used here"},
		"tag that includes":       {head + "description: !include /etc/passwd", "t.yaml:4:14: tags (!include) are not used here"},
		"tag of another type":     {head + "description: !!str 12", "t.yaml:4:14: tags (!!str) are not used here"},
		"second document":         {head + "---\nname: y", "t.yaml:4:1: a second document starts here"},
		"not YAML":                {head + "a: b: c", "t.yaml:4:1: it is not YAML: "},
		"empty":                   {"", "t.yaml:1:1: it is empty"},
		"a list":                  {"- a", "t.yaml:1:1: the manifest is a list; it has to be a mapping"},
		"a number as key":         {head + "1: x", "t.yaml:4:1: a key of the manifest is a whole number"},
		"schema of the future":    {"schema: 2", "t.yaml:1:9: this plugingen reads schema 1 alone"},
		"schema as a text":        {`schema: "1"`, "t.yaml:1:9: this plugingen reads schema 1 alone"},
		"name is a number":        {"name: 12", "t.yaml:1:7: name is a whole number; it has to be a text: put it between quotes"},
		"name is a path":          {"name: ../x", "t.yaml:1:7: name \"../x\""},
		"kind unknown":            {"kinds: [plugins]", "t.yaml:1:8: kinds: \"plugins\" is unknown; is it plugin?"},
		"kind twice":              {"kinds: [host, host]", "t.yaml:1:8: kinds: \"host\" is there twice"},
		"version":                 {head + "plugingen: new", "t.yaml:4:12: plugingen is the oldest version"},
		"escape in a description": {head + `description: "a\x1b[2J"`, "t.yaml:4:14: description has the character '\\x1b'"},
		"escape in a key":         {head + `variables: {"\e[2J": {typo: x}}`, "t.yaml:4:13: variable \"\\x1b[2J\""},
		"right to left":           {head + "description: \"a\\u202e\"", "t.yaml:4:14: description has the character '\\u202e'"},
		"step":                    {head + "post: [rm]", "t.yaml:4:7: post: \"rm\" is unknown"},
		"type":                    {head + "variables:\n  a: {type: str}", "t.yaml:5:13: type \"str\" is unknown"},
		"no type":                 {head + "variables:\n  a: {default: 1}", "t.yaml:5:3: the variable a has no type"},
		"name of a variable":      {head + "variables:\n  A-b: {type: int}", "t.yaml:5:3: variable \"A-b\""},
		"enum without choices":    {head + "variables:\n  a: {type: enum}", "t.yaml:5:3: the variable a is an enum without choices"},
		"choices of a bool":       {head + "variables:\n  a: {type: bool, choices: [x]}", "t.yaml:5:28: choices are for enum and list"},
		"a choice with a comma":   {head + "variables:\n  a: {type: list, choices: [\"x,y\"]}", "t.yaml:5:28: the choice \"x,y\""},
		"default of another type": {head + "variables:\n  a: {type: bool, default: \"true\"}", "t.yaml:5:28: the default of a: it has to be true or false, and is a text"},
		"number for a text":       {head + "variables:\n  a: {type: string, default: 1.10}", "t.yaml:5:30: the default of a is a number"},
		"date for a text":         {head + "variables:\n  a: {type: string, default: 2026-01-01}", "t.yaml:5:30: the default of a is a date"},
		"null for a text":         {head + "variables:\n  a: {type: string, default: }", "t.yaml:5:"},
		"default not a choice":    {head + "variables:\n  a: {type: enum, choices: [x], default: y}", "t.yaml:5:42: the default of a: \"y\" is not one of x"},
		"default not of pattern":  {head + "variables:\n  a: {type: string, pattern: \"[a-z]+\", default: A}", "t.yaml:5:49: the default of a: \"A\" does not match"},
		"pattern":                 {head + "variables:\n  a: {type: string, pattern: \"(\"}", "t.yaml:5:30: the pattern is not a regular expression"},
		"pattern of an int":       {head + "variables:\n  a: {type: int, pattern: x}", "t.yaml:5:27: a pattern is for string and list"},
		"required and default":    {head + "variables:\n  a: {type: int, required: true, default: 1}", "t.yaml:5:28: a is required and has a default"},
		"required is a text":      {head + "variables:\n  a: {type: int, required: \"yes\"}", "t.yaml:5:28: required is a text; it has to be true or false"},
		"computed and asked":      {head + "variables:\n  a: {type: string, computed: x, default: y}", "t.yaml:5:31: a is computed"},
		"computed int":            {head + "variables:\n  a: {type: int, computed: x}", "t.yaml:5:28: what is computed is a string"},
		"when with braces":        {head + "files:\n  plugin/x: {when: \"{{.Vars.x}}\"}", "t.yaml:5:20: when is a condition without braces"},
		"a file outside":          {head + "files:\n  ../plugin/x: {}", "t.yaml:5:3: the file \"../plugin/x\""},
		"a file that climbs":      {head + "files:\n  plugin/../../x: {}", "t.yaml:5:3: the file \"plugin/../../x\" is not a path in the set"},
		"an absolute file":        {head + "files:\n  /etc/passwd: {}", "t.yaml:5:3: the file \"/etc/passwd\""},
		"a partial":               {head + "files:\n  partials/x: {}", "t.yaml:5:3: the file \"partials/x\" is not below plugin/"},
		"mode":                    {head + "files:\n  plugin/x: {mode: 04755}", "t.yaml:5:20: mode is 0644, or 0755 for a program"},
		"policy":                  {head + "files:\n  plugin/x: {policy: mine}", "t.yaml:5:22: policy \"mine\" is unknown"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := manifest.Parse("t.yaml", []byte(c.text))
			if err == nil || !strings.Contains("\n"+err.Error(), "\n"+c.want) {
				t.Errorf("error %v\nwant     %s", err, c.want)
			}
			if err != nil && strings.ContainsAny(err.Error(), "\x1b\u202e") {
				t.Errorf("error %q repeats what moves a cursor", err)
			}
		})
	}
}

// TestBombs are small files that stand for large ones.
func TestBombs(t *testing.T) {
	var aliases strings.Builder
	aliases.WriteString("a0: &a0 [x]\n")
	for i := 1; i < 30; i++ {
		fmt.Fprintf(&aliases, "a%d: &a%d [*a%d, *a%d, *a%d]\n", i, i, i-1, i-1, i-1)
	}
	for name, text := range map[string]string{
		"aliases": aliases.String(),
		"nesting": "description: " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000),
		"size":    "description: " + strings.Repeat("x", 2<<20),
		"itself":  "a: &a [*a]",
	} {
		if _, err := manifest.Parse("t.yaml", []byte(text)); err == nil {
			t.Errorf("%s: it passed", name)
		}
	}
}

func TestValues(t *testing.T) {
	m, err := manifest.Parse("t.yaml", []byte(head+`variables:
  s: {type: string, pattern: "[a-z ]*"}
  b: {type: bool}
  i: {type: int}
  e: {type: enum, choices: [x, y]}
  l: {type: list, choices: [x, y]}
`))
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		good map[string]any // by what was typed
		bad  []string
		odd  []any // of code or a file
	}{
		{map[string]any{"a b": "a b", "": ""}, []string{"A", "a\nb", "a\x00", "\xff", strings.Repeat("a", 2000)}, []any{1, true, nil, []string{"a"}}},
		{map[string]any{"yes": true, "TRUE": true, "n": false}, []string{"", "1", "maybe"}, []any{"true", 1, nil}},
		{map[string]any{"12": 12, " -3 ": -3}, []string{"", "1.5", "x", "99999999999999999999"}, []any{"1", 1.5, true, 1e300}},
		{map[string]any{"x": "x"}, []string{"", "z", "X"}, []any{1, nil}},
		{map[string]any{"": []string{}, "x, y": []string{"x", "y"}}, []string{"z", "x,z"}, []any{"x", []any{1}, []string{"x,y"}, map[string]any{}}},
	} {
		v := m.Variables[i]
		for text, want := range c.good {
			if got, err := v.Parse(text); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: Parse(%q) = %#v, %v, want %#v", v.Name, text, got, err, want)
			}
		}
		for _, text := range c.bad {
			if got, err := v.Parse(text); err == nil {
				t.Errorf("%s: Parse(%q) = %#v", v.Name, text, got)
			}
		}
		for _, value := range c.odd {
			if got, err := v.Convert(value); err == nil {
				t.Errorf("%s: Convert(%#v) = %#v", v.Name, value, got)
			}
		}
	}
	if got, err := m.Variables[2].Convert(12.0); err != nil || got != 12 {
		t.Errorf("Convert(12.0), as JSON has it: %v, %v", got, err)
	}
}

func TestSettingsAnswersAndCases(t *testing.T) {
	s, err := manifest.ParseSettings("plugingen.yaml", []byte("template: ./x\nextends: ../y\nanswers: {a: 1, b: [x], c: true, d: text}\n"))
	if err != nil || s.Template.Text != "./x" || s.Extends.Line != 2 || len(s.Answers) != 4 {
		t.Errorf("settings %+v, %v", s, err)
	}
	if _, err := manifest.ParseAnswers("a.yaml", []byte("a: {b: c}")); err == nil || !strings.HasPrefix(err.Error(), "a.yaml:1:4: ") {
		t.Errorf("answers: %v", err)
	}
	if empty, err := manifest.ParseAnswers("a.yaml", nil); err != nil || len(empty) != 0 {
		t.Errorf("no answers: %v, %v", empty, err)
	}
	c, err := manifest.ParseCase("c.txtar", []byte("kind: host\nbuild: false\n"))
	if err != nil || c.Kind != "host" || c.Build || c.Compare != "own" {
		t.Errorf("case %+v, %v", c, err)
	}
}

// FuzzManifest: whatever the bytes, there is a manifest or faults with places, and no panic.
func FuzzManifest(f *testing.F) {
	f.Add([]byte(head))
	f.Add([]byte(head + "variables:\n  a: {type: list, default: [x], when: .Vars.b}\nfiles:\n  plugin/**: {mode: 0755}\n"))
	f.Add([]byte("a: &a [*a, *a]"))
	f.Add([]byte("? [a]\n: b"))
	f.Add([]byte("!!binary aaaa"))
	f.Add([]byte("%YAML 1.1\n---\nname: x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := manifest.Parse("t.yaml", data)
		if (m == nil) == (err == nil) {
			t.Fatalf("manifest %v, error %v", m, err)
		}
		for _, fault := range manifest.Errors(err) {
			if strings.ContainsAny(fault.Error(), "\x00\x1b") {
				t.Errorf("%q repeats what moves a cursor", fault)
			}
		}
		if err != nil {
			return
		}
		for _, v := range m.Variables {
			if v.Default == nil {
				continue
			}
			if _, err := v.Convert(v.Default); err != nil {
				t.Errorf("the default of %s is no value of it: %v", v.Name, err)
			}
		}
		for _, r := range m.Files {
			if strings.Contains(r.Pattern.Text, "..") && strings.Contains("/"+r.Pattern.Text+"/", "/../") || strings.HasPrefix(r.Pattern.Text, "/") {
				t.Errorf("the pattern %q leads out", r.Pattern.Text)
			}
		}
	})
}
