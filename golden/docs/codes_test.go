package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestCodesAreListed holds CODES.md to the codes that the generator gives.
func TestCodesAreListed(t *testing.T) {
	given := matches(t, `= "(PG\d{4})"`, "generator/internal/*/*.go")
	listed := regexp.MustCompile("(?m)^\\| `(PG\\d{4})`").FindAllStringSubmatch(read(t, "generator/CODES.md"), -1)
	var codes []string
	for _, m := range listed {
		codes = append(codes, m[1])
	}
	if slices.Sort(given); len(given) == 0 || !slices.Equal(codes, given) {
		t.Errorf("CODES.md lists %v, the generator gives %v", codes, given)
	}
}

// TestRulesAreListed holds BREAKING.md to the rules of plugingen breaking, each under its level.
func TestRulesAreListed(t *testing.T) {
	levels := map[string]string{"Wire": "On the wire", "Source": "In source only", "Compatible": "Compatible"}
	for level, title := range levels {
		_, section, found := strings.Cut(read(t, "generator/BREAKING.md"), "\n## "+title+"\n")
		if !found {
			t.Fatalf("BREAKING.md has no section %s", title)
		}
		section, _, _ = strings.Cut(section, "\n## ")
		var listed []string
		for _, m := range regexp.MustCompile("(?m)^\\| `([a-z-]+)`").FindAllStringSubmatch(section, -1) {
			listed = append(listed, m[1])
		}
		given := matches(t, `Rule\{"([a-z-]+)", `+level+`\}`, "generator/internal/breaking/*.go")
		if slices.Sort(given); len(given) == 0 || !slices.Equal(listed, given) {
			t.Errorf("%s: BREAKING.md lists %v, the rules are %v", title, listed, given)
		}
	}
}

// TestDirectivesAreListed holds DIRECTIVES.md to the directives that the generator knows.
func TestDirectivesAreListed(t *testing.T) {
	text := read(t, "generator/DIRECTIVES.md")
	names := matches(t, `directive\w+ += "(\w+)"`, "generator/internal/*/*.go")
	if len(names) == 0 {
		t.Error("the generator knows no directive: has the way to declare them changed?")
	}
	for _, name := range names {
		if !strings.Contains(text, "| `//plugingen:"+name+" ") || !strings.Contains(text, "\n## "+name+"\n") {
			t.Errorf("DIRECTIVES.md has no row or no section for %s", name)
		}
	}
}

// matches are the first groups of all matches in the files.
func matches(t *testing.T, expr, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, pattern))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(expr).FindAllStringSubmatch(string(data), -1) {
			found = append(found, m[1])
		}
	}
	return found
}
