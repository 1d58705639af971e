package merge

import (
	"strings"
	"testing"
)

const baseMod = `module example.com/x

go 1.26.0

require (
	example.com/a v1.1.0
	example.com/b v1.1.0
)

require example.com/c v1.0.0 // indirect

replace example.com/a => ../a
`

// mod is baseMod with one text after the other in the place of another.
func mod(oldNew ...string) string { return strings.NewReplacer(oldNew...).Replace(baseMod) }

func TestMod(t *testing.T) {
	cases := []struct{ name, ours, theirs, want, note string }{
		{"nobody changed", baseMod, baseMod, baseMod, ""},
		{
			"theirs is higher",
			baseMod,
			mod("b v1.1.0", "b v1.2.0", "1.26.0", "1.27.0"),
			mod("b v1.1.0", "b v1.2.0", "1.26.0", "1.27.0"), "",
		},
		{
			"both are higher",
			mod("a v1.1.0", "a v1.10.0", "b v1.1.0", "b v1.2.0"),
			mod("a v1.1.0", "a v1.9.0", "b v1.1.0", "b v1.3.0"),
			mod("a v1.1.0", "a v1.10.0", "b v1.1.0", "b v1.3.0"), "",
		},
		{
			"ours has its own requirements and comments",
			"// mine\n" + mod("\texample.com/b v1.1.0", "\texample.com/b v1.1.0 // why\n\texample.com/mine v1.0.0"),
			mod("a v1.1.0", "a v1.2.0", "\texample.com/b v1.1.0", "\texample.com/b v1.1.0\n\texample.com/new v1.0.0"),
			"// mine\n" + mod("a v1.1.0", "a v1.2.0", "\texample.com/b v1.1.0", "\texample.com/b v1.1.0 // why\n\texample.com/mine v1.0.0", ")\n", ")\n\nrequire example.com/new v1.0.0\n"), "",
		},
		{
			"the template does without a module",
			baseMod,
			mod("require example.com/c v1.0.0 // indirect\n\n", ""),
			mod("require example.com/c v1.0.0 // indirect\n\n", ""), "",
		},
		{
			"the template does without a module that ours may need",
			mod("\texample.com/b v1.1.0", "\texample.com/b v1.1.0\n\texample.com/mine v1.0.0"),
			mod("require example.com/c v1.0.0 // indirect\n\n", ""),
			mod("\texample.com/b v1.1.0", "\texample.com/b v1.1.0\n\texample.com/mine v1.0.0"), "",
		},
		{
			"ours does without a module",
			mod("\texample.com/b v1.1.0\n", ""),
			mod("b v1.1.0", "b v1.2.0"),
			mod("(\n\texample.com/a v1.1.0\n\texample.com/b v1.1.0\n)", "example.com/a v1.1.0"), "",
		},
		{
			"ours replaces in its own way",
			mod("=> ../a", "=> ../my-a"),
			mod("=> ../a", "=> ../their-a"),
			mod("=> ../a", "=> ../my-a"),
			"your replacement of example.com/a stays; the template now has ../their-a",
		},
		{
			"the template replaces in another way",
			baseMod,
			mod("=> ../a", "=> ../their-a"),
			mod("=> ../a", "=> ../their-a"), "",
		},
		{
			"the template no longer replaces",
			baseMod,
			mod("\nreplace example.com/a => ../a\n", ""),
			mod("\nreplace example.com/a => ../a\n", ""), "",
		},
		{
			"ours has another module path",
			mod("module example.com/x", "module example.com/mine"),
			mod("a v1.1.0", "a v1.2.0"),
			mod("module example.com/x", "module example.com/mine", "a v1.1.0", "a v1.2.0"), "",
		},
		{
			"tools, excludes, settings and the toolchain",
			baseMod + "\nexclude example.com/a v1.0.1\n",
			baseMod + "\ntool example.com/a/cmd\n\nexclude example.com/b v1.0.1\n\ngodebug panicnil=1\n\ntoolchain go1.27.1\n",
			mod("go 1.26.0\n", "go 1.26.0\n\ntoolchain go1.27.1\n") +
				"\nexclude example.com/a v1.0.1\n\nexclude example.com/b v1.0.1\n\ntool example.com/a/cmd\n\ngodebug panicnil=1\n", "",
		},
		{"as on Windows", strings.ReplaceAll(baseMod, "\n", "\r\n"), mod("b v1.1.0", "b v1.2.0"), strings.ReplaceAll(mod("b v1.1.0", "b v1.2.0"), "\n", "\r\n"), ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, notes, err := Mod([]byte(baseMod), []byte(c.ours), []byte(c.theirs))
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != c.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, c.want)
			}
			if strings.Join(notes, "\n") != c.note {
				t.Errorf("notes %q, want %q", notes, c.note)
			}
		})
	}
	if _, _, err := Mod([]byte(baseMod), []byte("<<<<<<< HEAD\n"+baseMod), []byte(baseMod)); err == nil {
		t.Error("a file with markers was merged")
	}
}

func TestSum(t *testing.T) {
	ours := "example.com/b v1.1.0 h1:b1\nexample.com/b v1.1.0/go.mod h1:b1m\nexample.com/mine v1.0.0 h1:m\n"
	theirs := "example.com/a v1.10.0 h1:a10\nexample.com/a v1.9.0/go.mod h1:a9m\nexample.com/b v1.2.0 h1:b2\nexample.com/b v1.2.0/go.mod h1:b2m\n"
	want := "example.com/a v1.9.0/go.mod h1:a9m\nexample.com/a v1.10.0 h1:a10\nexample.com/b v1.1.0/go.mod h1:b1m\nexample.com/b v1.2.0 h1:b2\n" +
		"example.com/b v1.2.0/go.mod h1:b2m\nexample.com/mine v1.0.0 h1:m\n"
	merged := mod("a v1.1.0", "a v1.10.0", "b v1.1.0", "b v1.2.0")
	if got := string(Sum([]byte(ours), []byte(theirs), []byte(merged))); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if got := string(Sum([]byte(want), []byte(theirs), []byte(merged))); got != want {
		t.Errorf("a second time:\n%s", got)
	}
}
