// Package deps holds who imports whom: the walls of the house, and what each room brings into a program.
package deps

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden file")

const golden = "testdata/deps.txt"

// pkg is what go list tells about a package.
type pkg struct {
	ImportPath string
	Imports    []string
	Deps       []string
	Module     *struct{ Path string }
	Standard   bool
}

// TestDependencies holds the list of every package's imports within the module and of the modules that it links.
func TestDependencies(t *testing.T) {
	got := render(list(t))
	if *update {
		if err := errors.Join(os.MkdirAll(path.Dir(golden), 0o755), os.WriteFile(golden, got, 0o644)); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatalf("%v (make golden writes it)", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the dependencies differ from %s; if that is meant, run make golden and read the diff\ngot:\n%s", golden, got)
	}
}

// wall says what a room may import of the module and of others. A nil list allows none, "*" all.
type wall struct {
	room    string // package, or "room/..." for it and all below
	inside  []string
	modules []string
}

func walls() []wall {
	grpcOnly := []string{"google.golang.org/grpc", "google.golang.org/protobuf", "google.golang.org/genproto/googleapis/rpc", "golang.org/x/net", "golang.org/x/sys", "golang.org/x/text"}
	brokered := append(slices.Clone(grpcOnly), "github.com/hashicorp/yamux")
	return []wall{
		{"runtime/handshake", nil, nil},
		{"generator/model", nil, nil},
		{"runtime", []string{"runtime/runtimepb"}, grpcOnly},
		{"runtime/transport", []string{"runtime/handshake"}, []string{"golang.org/x/sys"}},
		{"runtime/relay", nil, nil},
		{"runtime/plugin/pluginlog", nil, nil},
		{"runtime/broker", []string{"runtime", "runtime/runtimepb", "runtime/handshake", "runtime/transport", "runtime/internal/wire", "runtime/internal/lane"}, brokered},
		{"runtime/object", []string{"runtime", "runtime/runtimepb", "runtime/internal/lane"}, grpcOnly},
		{"runtime/plugin", []string{"runtime", "runtime/runtimepb", "runtime/handshake", "runtime/transport", "runtime/broker", "runtime/internal/..."}, brokered},
		{"runtime/host", []string{"runtime", "runtime/runtimepb", "runtime/handshake", "runtime/transport", "runtime/relay", "runtime/broker", "runtime/internal/..."}, brokered},
		{"runtime/...", []string{"runtime/..."}, brokered},
		{"generator/...", []string{"generator/...", "templates", "."}, []string{"*"}},
	}
}

func TestWalls(t *testing.T) {
	packages := list(t)
	for _, w := range walls() {
		t.Run(w.room, func(t *testing.T) {
			checkWall(t, w, packages)
		})
	}
	t.Run("runtime/internal rooms never import each other", func(t *testing.T) {
		for _, p := range packages {
			checkInternal(t, p)
		}
	})
	t.Run("only generator joins render with templates", func(t *testing.T) {
		for _, p := range packages {
			room := rel(p.ImportPath)
			if slices.Contains(p.Imports, modulePath()+"/templates") && room != "generator" {
				t.Errorf("%s imports templates", room)
			}
		}
	})
}

// TestNoReflection: a plugin or a host links what tells strangers its services, or what is for tests, only when its author imports it.
func TestNoReflection(t *testing.T) {
	for _, p := range list(t) {
		room := rel(p.ImportPath)
		if p.Module == nil || p.Module.Path != modulePath() || !matches("runtime/...", room) || room == "runtime/plugintest" {
			continue
		}
		for _, d := range p.Deps {
			if d == "testing" || matches("google.golang.org/grpc/reflection/...", d) {
				t.Errorf("%s links %s", room, d)
			}
		}
	}
}

// TestPluginsAreLean: what a plugin links it initialises at each start. It is listed as plugins are built, by the Makefile of a generated project.
func TestPluginsAreLean(t *testing.T) {
	heavy := []string{
		"net/rpc", "encoding/gob", "testing", "expvar", "html/template", "text/template", "golang.org/x/net/trace",
		"google.golang.org/grpc/health/...", "google.golang.org/grpc/reflection/...", "google.golang.org/protobuf/reflect/protodesc", "google.golang.org/protobuf/types/descriptorpb",
		modulePath() + "/runtime/host", modulePath() + "/runtime/relay",
	}
	for _, p := range list(t, "-tags", "grpcnotrace") {
		if !matches("runtime/plugin/...", rel(p.ImportPath)) && rel(p.ImportPath) != "runtime" {
			continue
		}
		for _, d := range p.Deps {
			if slices.ContainsFunc(heavy, func(h string) bool { return matches(h, d) }) {
				t.Errorf("%s links %s", rel(p.ImportPath), d)
			}
		}
	}
}

func checkWall(t *testing.T, w wall, packages []pkg) {
	t.Helper()
	found := false
	for _, p := range packages {
		room := rel(p.ImportPath)
		if p.Module == nil || p.Module.Path != modulePath() || !matches(w.room, room) {
			continue
		}
		found = true
		for _, d := range p.Deps {
			dep := find(packages, d)
			switch {
			case dep.Standard || dep.Module == nil:
			case dep.Module.Path == modulePath():
				if !slices.ContainsFunc(w.inside, func(allowed string) bool { return matches(allowed, rel(d)) }) {
					t.Errorf("%s depends on %s", room, rel(d))
				}
			case !slices.Contains(w.modules, dep.Module.Path) && !slices.Contains(w.modules, "*"):
				t.Errorf("%s links %s of module %s", room, d, dep.Module.Path)
			}
		}
	}
	if !found {
		t.Errorf("no package matches %s", w.room)
	}
}

func checkInternal(t *testing.T, p pkg) {
	t.Helper()
	const internal = "runtime/internal/"
	room, ok := strings.CutPrefix(rel(p.ImportPath), internal)
	if !ok {
		return
	}
	top, _, _ := strings.Cut(room, "/")
	for _, i := range p.Imports {
		if other, ok := strings.CutPrefix(rel(i), internal); ok && !matches(top+"/...", other) {
			t.Errorf("%s imports %s", rel(p.ImportPath), rel(i))
		}
	}
}

// matches is Go's "..." pattern: "a/..." is a and everything below it.
func matches(pattern, room string) bool {
	prefix, all := strings.CutSuffix(pattern, "/...")
	return room == prefix || all && strings.HasPrefix(room, prefix+"/")
}

func find(packages []pkg, importPath string) pkg {
	i := slices.IndexFunc(packages, func(p pkg) bool { return p.ImportPath == importPath })
	if i < 0 {
		return pkg{Standard: true}
	}
	return packages[i]
}

func list(t *testing.T, flags ...string) []pkg {
	t.Helper()
	args := append([]string{"list", "-deps", "-json=ImportPath,Imports,Deps,Module,Standard"}, flags...)
	cmd := exec.Command("go", append(args, "./...")...)
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); err == io.EOF {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

func render(packages []pkg) []byte {
	var out bytes.Buffer
	for _, p := range packages {
		if p.Module == nil || p.Module.Path != modulePath() {
			continue
		}
		fmt.Fprintf(&out, "%s\n", rel(p.ImportPath))
		for _, i := range p.Imports {
			if strings.HasPrefix(i, modulePath()) {
				fmt.Fprintf(&out, "\timports %s\n", rel(i))
			}
		}
		for _, m := range linked(p, packages) {
			fmt.Fprintf(&out, "\tlinks   %s\n", m)
		}
	}
	return sortParagraphs(out.String())
}

// linked are the other modules of which p brings code into a program.
func linked(p pkg, packages []pkg) []string {
	var modules []string
	for _, d := range p.Deps {
		if dep := find(packages, d); dep.Module != nil && dep.Module.Path != modulePath() {
			modules = append(modules, dep.Module.Path)
		}
	}
	slices.Sort(modules)
	return slices.Compact(modules)
}

func sortParagraphs(text string) []byte {
	paragraphs := strings.SplitAfter(strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n\t", "\x00"), "\n")
	for i := range paragraphs {
		paragraphs[i] = strings.TrimSuffix(paragraphs[i], "\n")
	}
	slices.Sort(paragraphs)
	return []byte(strings.ReplaceAll(strings.Join(paragraphs, "\n"), "\x00", "\n\t") + "\n")
}
