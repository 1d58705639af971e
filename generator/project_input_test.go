package generator_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plugingen/plugingen/generator"
	"github.com/plugingen/plugingen/generator/tree"
)

// TestHostileRequests gives names and paths that would be something else in a file, a folder, or a command line.
func TestHostileRequests(t *testing.T) {
	empty := t.TempDir()
	cases := map[string]generator.ProjectRequest{
		"no name":                   {},
		"parent":                    {Name: "../x"},
		"absolute":                  {Name: "/tmp/x"},
		"option":                    {Name: "-rf"},
		"git":                       {Name: ".git"},
		"device":                    {Name: "nul"},
		"port":                      {Name: "com1"},
		"upper case":                {Name: "Plugin"},
		"underscore":                {Name: "a_b"},
		"hyphen at the end":         {Name: "a-"},
		"newline in a name":         {Name: "a\nb"},
		"shell in a name":           {Name: "a;curl"},
		"make in a name":            {Name: "$(shell x)"},
		"letter that looks like a":  {Name: "\u0430bc"},
		"long name":                 {Name: strings.Repeat("a", 64)},
		"module without a dot":      {Name: "a", Module: "strings"},
		"module with a newline":     {Name: "a", Module: "example.com/a\nreplace x => /etc"},
		"module with a space":       {Name: "a", Module: "example.com/a b"},
		"module leads out":          {Name: "a", Module: "example.com/../a"},
		"module is absolute":        {Name: "a", Module: "/example.com/a"},
		"module is an option":       {Name: "a", Module: "-example.com/a"},
		"module with a quote":       {Name: "a", Module: `example.com/a"b`},
		"module with a comment":     {Name: "a", Module: "example.com/a//b"},
		"module with a device":      {Name: "a", Module: "example.com/nul"},
		"module of major version 1": {Name: "a", Module: "example.com/a/v1"},
		"module is ours":            {Name: "a", Module: "github.com/plugingen/plugingen"},
		"module is grpc":            {Name: "a", Module: "google.golang.org/grpc"},
		"interface without package": {Name: "a", Interface: "Keyring"},
		"interface not exported":    {Name: "a", Interface: "example.com/x.keyring"},
		"interface is no name":      {Name: "a", Interface: "example.com/x.T struct{}"},
		"interface with a newline":  {Name: "a", Interface: "example.com/x.T\n"},
		"interface is a path":       {Name: "a", Interface: "./x.T"},
		"interface is an option":    {Name: "a", Interface: "-C.T"},
		"version is an option":      {Name: "a", Interface: "example.com/x.T@--help"},
		"version is empty":          {Name: "a", Interface: "example.com/x.T@"},
		"version with a space":      {Name: "a", Interface: "example.com/x.T@v1 v2"},
		"both":                      {Name: "a", Interface: "io.Reader", Contract: "."},
		"contract is an option":     {Name: "a", Contract: "-x"},
		"contract is nowhere":       {Name: "a", Contract: filepath.Join(empty, "none")},
		"contract has no module":    {Name: "a", Contract: empty},
	}
	for name, req := range cases {
		t.Run(name, func(t *testing.T) {
			req.Dir = filepath.Join(t.TempDir(), "target")
			req.Runtime = checkout(t)
			for _, produce := range []maker{generator.Plugin, generator.Host} {
				_, err := produce(t.Context(), req)
				if !errors.Is(err, generator.ErrInput) && !errors.Is(err, tree.ErrName) {
					t.Errorf("error %v, want ErrInput", err)
				} else if strings.ContainsAny(err.Error(), "\n\x1b") {
					t.Errorf("error %q repeats control characters", err)
				}
			}
			if _, err := os.Stat(req.Dir); err == nil {
				t.Error("something was written")
			}
		})
	}
}

func TestContractWithoutServices(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module example.com/c\n", "c.go": "package c\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	_, err := generator.Plugin(t.Context(), generator.ProjectRequest{Name: "a", Dir: t.TempDir(), Contract: dir})
	if !errors.Is(err, generator.ErrInput) || !strings.Contains(err.Error(), "go generate") {
		t.Errorf("error %v, want one that says what to do", err)
	}
}

func TestCheckoutRuntimeRefuses(t *testing.T) {
	dir := t.TempDir()
	if _, err := generator.CheckoutRuntime(dir); !errors.Is(err, generator.ErrInput) {
		t.Errorf("an empty folder: %v, want ErrInput", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module example.com/other\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := generator.CheckoutRuntime(dir); !errors.Is(err, generator.ErrInput) {
		t.Errorf("another module: %v, want ErrInput", err)
	}
}

// TestSameBytes makes every kind of project twice: nothing in it depends on chance, the clock or the folder.
func TestSameBytes(t *testing.T) {
	for name, produce := range map[string]maker{"plugin": generator.Plugin, "host": generator.Host} {
		t.Run(name, func(t *testing.T) {
			req := generator.ProjectRequest{Name: "a", Runtime: checkout(t)}
			var first, second *generator.Project
			var err error
			for i, p := range []**generator.Project{&first, &second} {
				req.Dir = filepath.Join(t.TempDir(), "a", strings.Repeat("b", i+1))
				if *p, err = produce(t.Context(), req); err != nil {
					t.Fatal(err)
				}
			}
			other := second.Tree.Files()
			for i, f := range first.Tree.Files() {
				if f.Path != other[i].Path || string(f.Data) != string(other[i].Data) {
					t.Errorf("%s differs", f.Path)
				}
			}
		})
	}
}

func TestFindContracts(t *testing.T) {
	dir := t.TempDir()
	plugin := commit(t, dir, generator.Plugin, generator.ProjectRequest{Name: "my-plugin", Runtime: checkout(t)})
	host := commit(t, dir, generator.Host, generator.ProjectRequest{Name: "my-host", Runtime: checkout(t)})
	nested := commit(t, plugin, generator.Host, generator.ProjectRequest{Name: "nested", Runtime: checkout(t)})
	own := filepath.Join(plugin, "greeter")
	cases := map[string]struct {
		dir, except string
		want        []string
	}{
		"inside":                   {plugin, "x", []string{own}},
		"deep inside":              {filepath.Join(own, "greeterpb"), "x", []string{own}},
		"beside, but one":          {dir, host, []string{own}},
		"beside":                   {dir, "x", []string{filepath.Join(host, "greeter"), own}},
		"in the nested module":     {nested, "x", []string{filepath.Join(nested, "greeter")}},
		"nothing there":            {t.TempDir(), "x", nil},
		"all but the module":       {plugin, plugin, nil},
		"folder that is not there": {filepath.Join(dir, "none"), "x", nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := generator.FindContracts(c.dir, c.except)
			if err != nil || strings.Join(got, "\n") != strings.Join(c.want, "\n") {
				t.Errorf("FindContracts = %v, %v, want %v", got, err, c.want)
			}
		})
	}
}

func TestRuntimeVersions(t *testing.T) {
	version, wire, err := generator.RuntimeVersions()
	if err != nil || version == "" || wire != "1" {
		t.Errorf("RuntimeVersions = %q, %q, %v", version, wire, err)
	}
}

// BenchmarkPlugin is plugingen new without its start and without writing.
func BenchmarkPlugin(b *testing.B) {
	req := generator.ProjectRequest{Name: "my-plugin", Dir: filepath.Join(b.TempDir(), "p"), Runtime: checkout(b)}
	for b.Loop() {
		if _, err := generator.Plugin(b.Context(), req); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkNew is all of plugingen new but the start of the process.
func BenchmarkNew(b *testing.B) {
	dir := b.TempDir()
	r := checkout(b)
	for i := 0; b.Loop(); i++ {
		commit(b, filepath.Join(dir, strings.Repeat("x", i%200+1), strings.Repeat("y", i/200+1)), generator.Plugin, generator.ProjectRequest{Name: "my-plugin", Runtime: r})
	}
}
