package lock

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/plugingen/plugingen/generator/tree"
)

func file(path, text string) File {
	return File{Path: path, Mode: 0o644, Hash: Sum([]byte(text)), Text: []byte(text)}
}

func sample() *Lock {
	hashOnly := file("go.sum", "x")
	hashOnly.Text = nil
	made := file("greeter/zz_plugingen.go", "x")
	made.Owner, made.Text = tree.Generated, nil
	secret := file("token.txt", "x")
	secret.Text, secret.Secret = nil, true
	made.From = "plugin/{{.Contract.Package}}.go.tmpl"
	script := file("run.sh", "#!/bin/sh")
	script.Mode = 0o755
	return &Lock{
		Generator: "0.1.0", Kind: "plugin", Name: "my-plugin", Module: "example.com/my-plugin", Contract: "../a folder/greeter",
		Template: Template{"example.com/tpl", "v1.0.0", "h1:abc="},
		Answers:  []Answer{{"licence", "MIT <x>\n\"é\""}, {"list", []string{"a", "b"}}, {"none", []string{}}, {"replicas", 3}, {"token", nil}, {"yes", true}},
		Files: []File{
			file("a b.txt", ""), file("crlf.txt", "a\r\nb\r\n"), hashOnly, made, file("main.go", "package main\n\n|x\n\\ no newline at the end\n"), script, secret,
		},
	}
}

func TestFormatAndParse(t *testing.T) {
	want := sample()
	data := want.Format()
	got, err := Parse(data)
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	onWindows, err := Parse([]byte(strings.ReplaceAll(string(data), "\n", "\r\n")))
	if err != nil || !reflect.DeepEqual(onWindows, want) {
		t.Errorf("with line endings of Windows: %+v, %v", onWindows, err)
	}
	commented, err := Parse([]byte(strings.ReplaceAll(string(data), "\nfile ", "\n# mine\n\nfile ")))
	if err != nil || !reflect.DeepEqual(commented, want) {
		t.Errorf("with comments: %+v, %v", commented, err)
	}
	if !tree.IsGenerated(data) {
		t.Error("the file does not say that it is generated")
	}
}

func TestParseRefuses(t *testing.T) {
	hash := Sum([]byte("x\n"))
	line := "file main.go scaffolded 644 " + hash + " text\n|x\n"
	cases := map[string]struct {
		from, to string // what is replaced in the sample; an empty from means that to is everything
		want     string
	}{
		"nothing":            {"", "", "1:1: it does not start"},
		"something else":     {"", "# x\nversion: 1\n", "2:1: it does not start"},
		"a newer format":     {"lock 1", "lock 2", "5:6: this is version \"2\""},
		"no kind":            {"kind plugin\n", "", "kind is neither"},
		"another kind":       {"kind plugin", "kind x", "kind is neither"},
		"no name":            {"name my-plugin\n", "", "name or module is missing"},
		"a key twice":        {"name my-plugin\n", "name my-plugin\nname my-plugin\n", "9:1: name is not expected here"},
		"keys out of order":  {"kind plugin\nname my-plugin\n", "name my-plugin\nkind plugin\n", "8:1: kind is not expected here"},
		"an unknown key":     {"name my-plugin\n", "name my-plugin\nnoise 1\n", "name or module is missing"},
		"an empty value":     {"name my-plugin", "name ", "8:6: a value is missing"},
		"quotes for nothing": {"name my-plugin", `name "my-plugin"`, "8:6: "},
		"a broken quote":     {"name my-plugin", `name "my`, "8:6: "},
		"two words":          {"name my-plugin", "name my plugin", "8:6: "},
		"a control":          {"name my-plugin", `name "\x1b[2J"`, "8:6: the value has characters"},
		"both":               {"contract ", "interface x.Y\ncontract ", "exclude each other"},
		"a hash of nothing":  {"template example.com/tpl\n", "", "without a template"},
		"answers unsorted":   {"answer yes true", "answer a true", "19:8: a is not in its place"},
		"an answer twice":    {"answer yes true", "answer yes true\nanswer yes true", "is not in its place"},
		"an odd number":      {"replicas 3", "replicas 3.0", "17:17: "},
		"a fraction":         {"replicas 3", "replicas 3.5", "17:17: "},
		"a huge number":      {"replicas 3", "replicas 1e300", "17:17: "},
		"an object":          {"replicas 3", "replicas {}", "17:17: "},
		"null":               {"replicas 3", "replicas null", "17:17: "},
		"a mixed list":       {`["a","b"]`, `["a",1]`, "15:13: "},
		"a told secret":      {"secret token", `secret token "x"`, "18:14: "},
		"a text changed":     {"|package main", "|package evil", "does not have the hash"},
		"a text cut":         {"|package main\n", "", "does not have the hash"},
		"base64 broken":      {"=YQ0KYg0K", "=YQ0KYg0", "this is not base64"},
		"a path up":          {"file main.go", "file ../main.go", `"../main.go"`},
		"a path from root":   {"file run.sh", "file /run.sh", "it is absolute"},
		"itself":             {"file main.go", "file plugingen.Lock", "does not record itself"},
		"into the way back":  {"file main.go", "file .plugingen-update/x", "for what an update needs"},
		"into git":           {"file main.go", "file i/.git/x", "git's own folder"},
		"a device":           {"file main.go", "file i/nul", "i/nul"},
		"a broken origin":    {"\nfrom ", "\nfrom from ", ":6: "},
		"unsorted":           {"file main.go", "file a", "is not in its place"},
		"differs in case":    {"file main.go", "file Go.sum", "one name"},
		"one name twice":     {"file main.go", "file greeter/ZZ_plugingen.go", "one name"},
		"case":               {"file main.go", "file gREETER/x", "one name"},
		"folds":              {"file main.go", "file greeter/zz_pluginGen.go", "one name on systems where case does not count"},
		"file and folder":    {"file main.go", "file greeter/zz_plugingen.go/x", "cannot be a file and a folder"},
		"no owner":           {"main.go scaffolded", "main.go nobody", "is not what plugingen writes"},
		"an odd mode":        {"run.sh scaffolded 755", "run.sh scaffolded 4755", "is not what plugingen writes"},
		"a closed mode":      {"run.sh scaffolded 755", "run.sh scaffolded 055", "keeps the owner from the file"},
		"conflict markers":   {"\nfile main.go", "\n<<<<<<< HEAD\nfile main.go", "is not what plugingen writes"},
		"a stray text":       {"\nfile main", "\n|x\nfile main", "is not what plugingen writes"},
		"a file twice":       {"\nfile main.go", "\n" + line + line, "the file is there already"},
	}
	whole := string(sample().Format())
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			text := c.to
			if c.from != "" {
				if text = strings.Replace(whole, c.from, c.to, 1); text == whole {
					t.Fatalf("%q is not in the sample", c.from)
				}
			}
			got, err := Parse([]byte(text))
			var where *Error
			if !errors.As(err, &where) || where.Line < 1 || where.Column < 1 || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Parse: %+v, %v, want an *Error with %q", got, err, c.want)
			}
		})
	}
}

// FuzzParse: no lock makes the parser panic, names that it takes are safe, and what it takes is written back as it was read.
func FuzzParse(f *testing.F) {
	f.Add(sample().Format())
	f.Add([]byte("lock 1\ngenerator 0\nkind host\nname a\nmodule b\n"))
	f.Add([]byte("lock 1\ngenerator 0\nkind host\nname a\nmodule b\nanswer a -1\n\nfile \"a\\u00e9\" scaffolded 600 " + Sum(nil) + " text\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := Parse(data)
		if err != nil {
			return
		}
		for _, file := range l.Files {
			if err := tree.CheckName(file.Path); err != nil {
				t.Error(err)
			}
		}
		again, err := Parse(l.Format())
		if err != nil || !reflect.DeepEqual(again, l) {
			t.Errorf("written back: %+v, %v, want %+v", again, err, l)
		}
	})
}
