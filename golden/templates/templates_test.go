// Package templates holds the template sets of this repository, the built-in one and the example, to what they make: they are linted, and
// their cases are rendered, built and tested.
package templates

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/plugingen/plugingen/generator"
	"github.com/plugingen/plugingen/generator/tree"
)

var update = flag.Bool("update", false, "rewrite the cases")

// sets are the folders, with what lint is to look at: the built-in set's has more in it than the set.
func sets() map[string]string {
	return map[string]string{
		"../../templates":               generator.BuiltinTemplate,
		"../../examples/acme-templates": "../../examples/acme-templates",
	}
}

func TestLint(t *testing.T) {
	for dir, reference := range sets() {
		faults, err := generator.LintTemplate(t.Context(), generator.TemplateRequest{Template: reference})
		if err != nil {
			t.Errorf("%s: %v", dir, err)
		}
		for _, f := range faults {
			t.Errorf("%s", f)
		}
	}
}

// TestCases compares, and then builds: -short compares alone.
func TestCases(t *testing.T) {
	runtime, err := generator.CheckoutRuntime("../..")
	if err != nil {
		t.Fatal(err)
	}
	for dir := range sets() {
		for _, name := range caseNames(t, dir) {
			t.Run(filepath.Base(dir)+"/"+name, func(t *testing.T) {
				results, err := generator.TestTemplate(t.Context(), generator.TemplateTestRequest{
					TemplateRequest: generator.TemplateRequest{Template: dir}, Runtime: runtime, NoBuild: testing.Short() || *update,
					Run: regexp.MustCompile("^" + regexp.QuoteMeta(name) + "$"),
				})
				if err != nil {
					t.Fatal(err)
				}
				check(t, dir, results)
			})
		}
	}
}

func caseNames(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "cases", "*.txtar"))
	if err != nil || len(files) < 2 {
		t.Fatalf("cases of %s: %v, %v", dir, files, err)
	}
	var names []string
	for _, f := range files {
		base := filepath.Base(f)
		names = append(names, base[:len(base)-len(".txtar")])
	}
	return names
}

func check(t *testing.T, dir string, results []generator.TemplateCase) {
	t.Helper()
	for _, r := range results {
		if r.Err != nil {
			t.Error(r.Err)
		}
		if r.Got == nil {
			continue
		}
		if !*update {
			t.Errorf("it differs; if that is meant, run make golden and read the diff\n%s", r.Diff)
		} else if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(generator.CaseFile(r.Name))), r.Got, 0o644); err != nil {
			t.Error(err)
		}
	}
}

// TestNewSetsAreSound lints what a new set starts from.
func TestNewSetsAreSound(t *testing.T) {
	for _, kinds := range [][]string{{"plugin"}, {"host"}, {"plugin", "host"}} {
		made, err := generator.NewTemplate("fresh", kinds)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		plan, err := made.Plan(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := plan.Commit(tree.CommitOptions{}); err != nil {
			t.Fatal(err)
		}
		faults, err := generator.LintTemplate(t.Context(), generator.TemplateRequest{Template: dir})
		if err != nil || len(faults) > 0 {
			t.Errorf("%v: %v %v", kinds, faults, err)
		}
	}
}

// TestReadmeIsComplete holds the page for authors to the blocks and functions that there are.
func TestReadmeIsComplete(t *testing.T) {
	page, err := os.ReadFile("../../templates/README.md")
	if err != nil {
		t.Fatal(err)
	}
	info, err := generator.DescribeTemplate(t.Context(), generator.TemplateRequest{})
	if err != nil {
		t.Fatal(err)
	}
	words := generator.TemplateFunctions()
	for _, f := range info.Files {
		words = append(words, f.Blocks...)
	}
	for _, word := range words {
		if !strings.Contains(string(page), "`"+word+"`") && !strings.Contains(string(page), "`"+word+" ") {
			t.Errorf("templates/README.md does not mention %s", word)
		}
	}
	manifestKeys, variableKeys, ruleKeys := generator.TemplateKeys()
	for _, key := range slices.Concat(manifestKeys, variableKeys, ruleKeys) {
		if !strings.Contains(string(page), key+":") {
			t.Errorf("templates/README.md does not mention the key %s", key)
		}
	}
}

// TestSchema holds the published schema to the keys that are read.
func TestSchema(t *testing.T) {
	type object struct {
		Properties           map[string]json.RawMessage `json:"properties"`
		AdditionalProperties *bool                      `json:"additionalProperties"`
		Defs                 map[string]object          `json:"$defs"`
	}
	var schema object
	if err := json.Unmarshal(generator.TemplateSchema(), &schema); err != nil {
		t.Fatal(err)
	}
	manifest, variable, rule := generator.TemplateKeys()
	for name, want := range map[string]struct {
		keys []string
		in   object
	}{"manifest": {manifest, schema}, "variable": {variable, schema.Defs["variable"]}, "rule": {rule, schema.Defs["rule"]}} {
		var got []string
		for key := range want.in.Properties {
			got = append(got, key)
		}
		slices.Sort(got)
		if !slices.Equal(got, want.keys) {
			t.Errorf("%s: the schema has the keys %v, and these are read: %v", name, got, want.keys)
		}
		if want.in.AdditionalProperties == nil || *want.in.AdditionalProperties {
			t.Errorf("%s: the schema allows keys that nobody knows", name)
		}
	}
}
