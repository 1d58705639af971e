package inspect

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plugingen/plugingen/generator/model"
)

// pkg is a package in memory; its folder does not exist.
type pkg struct {
	dir     string
	overlay map[string][]byte
}

func newPackage(files map[string]string) pkg {
	root := filepath.Join(os.TempDir(), "plugingen-no-such-folder", "module")
	p := pkg{dir: filepath.Join(root, "c"), overlay: map[string][]byte{filepath.Join(root, "go.mod"): []byte("module example.com/m\n\ngo 1.26\n")}}
	for name, text := range files {
		p.overlay[filepath.Join(root, filepath.FromSlash(name))] = []byte(text)
	}
	return p
}

func (p pkg) inspect(ctx context.Context, types ...string) (*model.Contract, error) {
	c, _, err := Inspect(ctx, Config{Dir: p.dir, Overlay: p.overlay, Types: types})
	return c, err
}

const usesURL = `package c

import (
	"errors"
	"net/url"
)

var ErrBad = errors.New("bad")

// I is told.
type I interface {
	// Visit is told, too.
	Visit(u *url.URL) error
}
`

func TestForeignTypesWithModuleInMemory(t *testing.T) {
	c, err := newPackage(map[string]string{"c/c.go": usesURL}).inspect(t.Context(), "I")
	if err != nil {
		t.Fatal(err)
	}
	s := c.Services[0]
	m := s.Method("Visit")
	if s.Doc != "I is told." || m.Doc != "Visit is told, too." || m.Pos != "c.go:13:2" {
		t.Errorf("got %q, %q at %s", s.Doc, m.Doc, m.Pos)
	}
	if got := m.Params[0].Type; got.Kind != model.Pointer || got.Elem.Kind != model.Marshaler || got.Elem.ID() != "net/url.URL" {
		t.Errorf("got %v", got)
	}
	if len(c.Sentinels) != 1 || c.Sentinels[0].ID() != "example.com/m/c.ErrBad" {
		t.Errorf("sentinels: %v", c.Sentinels)
	}
}

func TestForeignComments(t *testing.T) {
	c, err := newPackage(map[string]string{"c/c.go": "package c\n\nimport \"database/sql/driver\"\n\ntype R = driver.Result\n"}).inspect(t.Context(), "R")
	if err != nil {
		t.Fatal(err)
	}
	m := c.Services[0].Method("RowsAffected")
	if !strings.HasPrefix(m.Doc, "RowsAffected returns the number of rows") {
		t.Errorf("doc: %q", m.Doc)
	}
	if !strings.HasSuffix(m.Pos, ":2") || !strings.Contains(m.Pos, "driver.go:") {
		t.Errorf("position: %s", m.Pos)
	}
}

func TestNestedModuleIsForeign(t *testing.T) {
	p := newPackage(map[string]string{
		"c/c.go":        "package c\n\nimport \"example.com/m/nested\"\n\ntype I interface{ Do(x nested.T) error }\n",
		"nested/go.mod": "module example.com/m/nested\n",
		"nested/n.go":   "package nested\n\ntype T struct{ X int }\n",
	})
	_, err := p.inspect(t.Context(), "I")
	var faults model.Diagnostics
	if !errors.As(err, &faults) || faults[0].Code != codeUnresolved {
		t.Errorf("got %v", err)
	}
}

func TestGivingUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := newPackage(map[string]string{"c/c.go": usesURL}).inspect(ctx, "I"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
	t.Setenv("PATH", "")
	if _, err := newPackage(map[string]string{"c/c.go": usesURL}).inspect(t.Context(), "I"); err == nil || !strings.Contains(err.Error(), "types of other modules need the go command") {
		t.Errorf("without the go command: got %v", err)
	}
}

func TestNoPackage(t *testing.T) {
	if _, err := newPackage(nil).inspect(t.Context(), "I"); !errors.Is(err, ErrNoGoFiles) {
		t.Errorf("no files: got %v", err)
	}
	_, _, err := Inspect(t.Context(), Config{Dir: t.TempDir(), Types: []string{"I"}})
	if !errors.Is(err, ErrNoModule) {
		t.Errorf("no module: got %v", err)
	}
	for _, line := range []string{"", "module \"a b\"", "module example.com/../x", "module \"a\\\"b\""} {
		p := newPackage(map[string]string{"c/c.go": usesURL, "go.mod": line + "\n"})
		if _, err := p.inspect(t.Context(), "I"); err == nil || !strings.Contains(err.Error(), "module line") {
			t.Errorf("go.mod %q: got %v", line, err)
		}
	}
}

// FuzzInspect: whatever the source is, the answer is a contract, or faults of which each has a place and says what to do.
func FuzzInspect(f *testing.F) {
	for _, body := range []string{
		"type I interface { Do(ctx context.Context, x map[string][]*T) (T, error) }\ntype T struct { N *T; time.Time; F func() }",
		"type I interface { J; Do() }\ntype J interface { I }",
		"type I = J[int]\ntype J[T any] interface { Do(T, ...[]J[T]) error }",
		"type I interface { ~int | string; Do(...chan<- struct{}) }",
		"type I interface { Do(a, b, _ [1<<40]int8, p **[]I) (e, f error) }",
		"type I interface { Do(P[P[int]]) error }\ntype P[T any] struct { X *P[T]; Y []T }",
		"type I T\ntype T I",
		"type T [2]T; type I interface { Do(T) T }",
		"type I interface { Do(struct { T }) ; do() }; type T = struct { *T }",
		"type I interface { Do(x [len(x)]int, y [unsafe.Sizeof(y)]T) }",
		"var string int\ntype I interface { String() string }",
		"import . \"errors\"\ntype I interface { error; Is(error) bool }",
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		p := newPackage(map[string]string{"c/c.go": "package c\n\nimport (\n\t\"context\"\n\t\"time\"\n)\n\n" + body})
		quick := newLoader(files{overlay: p.overlay}, module{root: filepath.Dir(p.dir), path: "example.com/m"}, p.dir)
		c, r, err := quick.contract([]string{"I"})
		if err != nil {
			t.Fatal(err)
		}
		quick.neededImports()
		for _, fault := range r.faults.sorted() {
			if fault.File == "" || fault.Code == "" || fault.Why == "" || fault.Hint == "" || fault.Code != codeNotFound && fault.Line == 0 {
				t.Errorf("a fault that does not say enough: %+v", fault)
			}
		}
		if len(r.faults) == 0 && !r.unresolved && len(c.Services) != 1 {
			t.Errorf("neither a service nor a fault")
		}
	})
}
