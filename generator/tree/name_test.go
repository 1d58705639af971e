package tree_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/plugingen/plugingen/generator/tree"
)

func TestCheckNameRefuses(t *testing.T) {
	names := map[string]string{
		"empty":              "",
		"parent":             "../x",
		"parent inside":      "a/../../x",
		"parent that stays":  "a/../x",
		"dot":                ".",
		"dot element":        "a/./b",
		"absolute":           "/etc/passwd",
		"trailing slash":     "a/",
		"double slash":       "a//b",
		"backslash":          `a\b`,
		"drive":              `C:x`,
		"stream":             "a.txt:hidden",
		"git":                ".git/hooks/pre-commit",
		"git upper case":     ".GIT/config",
		"git below":          "a/.git/config",
		"git file":           ".git",
		"git short name":     "git~1/config",
		"the way back":       ".plugingen-update/journal.json",
		"the way back, case": ".Plugingen-Update",
		"device":             "aux",
		"device with ending": "nul.go",
		"device upper case":  "CON/x",
		"port":               "a/com1.txt",
		"nul byte":           "a\x00b",
		"newline":            "a\nb",
		"escape":             "a\x1b[31mb",
		"right to left":      "a\u202egnp.exe",
		"zero width":         "a\u200bb",
		"line separator":     "a\u2028b",
		"combining":          "e\u0301",
		"not UTF-8":          "a\xffb",
		"leading hyphen":     "-rf",
		"hyphen below":       "a/-rf",
		"trailing dot":       "a.",
		"trailing space":     "a ",
		"leading space":      " a/b",
		"pipe":               "a|b",
		"quote":              `a"b`,
		"star":               "a*",
		"long":               strings.Repeat("a", 256),
	}
	for name, path := range names {
		t.Run(name, func(t *testing.T) {
			err := tree.CheckName(path)
			if !errors.Is(err, tree.ErrName) {
				t.Fatalf("CheckName(%+q) = %v, want ErrName", path, err)
			}
			if strings.ContainsAny(err.Error(), "\x00\x1b\n\u202e") {
				t.Errorf("the error repeats control characters: %q", err)
			}
			if err := new(tree.Tree).Add(tree.File{Path: path}); !errors.Is(err, tree.ErrName) {
				t.Errorf("Add: %v, want ErrName", err)
			}
		})
	}
}

func TestCheckNameTakes(t *testing.T) {
	for _, path := range []string{
		"go.mod", ".gitignore", ".github/workflows/ci.yml", ".gitattributes", "a/b/c.go", "a-b", "a_b.c", "größe.go", "x.pb.go", "con1/y", "auxiliary.go",
	} {
		if err := tree.CheckName(path); err != nil {
			t.Errorf("CheckName(%q) = %v", path, err)
		}
	}
}

func TestAddRefusesClashes(t *testing.T) {
	for _, pair := range [][2]string{
		{"a", "A"}, {"dir/x", "DIR/y"}, {"a", "a/b"}, {"a/b", "a"}, {"a/b", "A"}, {"straße", "STRASSE"[:4] + "ẞE"}, {"k", "\u212a"},
	} {
		var files tree.Tree
		if err := files.Add(tree.File{Path: pair[0]}); err != nil {
			t.Fatal(err)
		}
		if err := files.Add(tree.File{Path: pair[1]}); !errors.Is(err, tree.ErrName) {
			t.Errorf("%q beside %q: %v, want ErrName", pair[1], pair[0], err)
		}
	}
	var files tree.Tree
	if err := errors.Join(files.Add(tree.File{Path: "a"}), files.Add(tree.File{Path: "a"})); !errors.Is(err, tree.ErrDuplicate) {
		t.Errorf("adding twice: %v, want ErrDuplicate", err)
	}
}

func FuzzCheckName(f *testing.F) {
	for _, seed := range []string{"a/b", "../a", "C:\\x", ".git", "nul", "a\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if tree.CheckName(name) != nil {
			return
		}
		for element := range strings.SplitSeq(name, "/") {
			if element == "" || element == ".." || element == "." || strings.EqualFold(element, ".git") || element[0] == '-' {
				t.Errorf("%q passed", name)
			}
		}
		if strings.ContainsAny(name, "\\:\x00\n") || name[0] == '/' {
			t.Errorf("%q passed", name)
		}
	})
}
