package inspect

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plugingen/plugingen/generator/model"
)

// otherModules are a contract whose types lie in another module, in every way that one package can refer to another. Packages
// called broken do not compile, and must not matter; neither must bodies of functions.
const otherModules = `
-- m/go.mod
module example.com/m

go 1.26

require example.com/other v0.0.0

replace example.com/other => ../other
-- m/c/c.go
package c

import (
	"context"

	"example.com/other/a"
)

type I interface {
	a.Closer
	Get(ctx context.Context, key a.Key, item a.Item) (a.Alias, error)
}
-- other/go.mod
module example.com/other

go 1.26
-- other/a/a.go
package a

import (
	"errors"

	. "example.com/other/dotted"
	b2 "example.com/other/broken"
	renamed "example.com/other/with-dash"
	"example.com/other/sizes"
)

type Item struct {
	Dotted
	Level  renamed.Level
	Sum    [sizes.Size]byte
	hidden func(b2.Broken)
}

func (Item) MarshalText() ([]byte, error) { return b2.None, nil }
func (*Item) UnmarshalText(text []byte) error { return b2.None() }

func (Item) Other(b2.Broken) {}

type Closer interface{ Close() error }

type Unused struct{ B b2.Broken }

type Failure struct{ Code renamed.Level }

func (Failure) Error() string { return undefined() }

var ErrOdd = errors.New("odd")

type Alias = renamed.Struct
-- other/a/cgo.go
package a

// #include <stdint.h>
import "C"

type Key string

var count C.int
-- other/a/a_none.go
//go:build neverever

package a

type Key int
-- other/dotted/d.go
package dotted

type Dotted struct{ D int }
-- other/with-dash/r.go
package renamed

import "example.com/other/base"

type Level uint8

const (
	Low = Level(base.First) << iota
	High
)

type Struct struct{ Level Level; Deep map[string]*base.Deep }
-- other/base/base.go
package base

const First = 4

type Deep struct{ Next *Deep; On bool }
-- other/sizes/s.go
package sizes

const (
	One = iota + 1
	Size
)
-- other/broken/b.go
package broken

import "example.com/other/missing"

type Broken missing.T {{{
`

func TestTypesOfOtherModules(t *testing.T) {
	root := t.TempDir()
	for _, part := range strings.Split(otherModules, "\n-- ")[1:] {
		name, text, _ := strings.Cut(part, "\n")
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// nothing is compiled: neither is there a build cache, nor a compiler that would run
	env := append(os.Environ(), "GOCACHE="+filepath.Join(root, "cache"), "GOFLAGS=-toolexec=/nonexistent", "CGO_ENABLED=1")
	c, _, err := Inspect(t.Context(), Config{Dir: filepath.Join(root, "m", "c"), Types: []string{"I"}, Env: env})
	if err != nil {
		t.Fatal(err)
	}
	m := c.Services[0].Method("Get")
	if key := m.Params[0].Type; key.ID() != "example.com/other/a.Key" || key.Kind != model.String {
		t.Errorf("key: %v", key)
	}
	if item := m.Params[1].Type; item.Kind != model.Marshaler || item.Marshal != "MarshalText" {
		t.Errorf("item: %v %s", item, item.Marshal)
	}
	result := m.Results[0].Type
	if result.ID() != "example.com/other/with-dash.Struct" || len(result.Members) != 2 {
		t.Fatalf("result: %v", result)
	}
	if got, want := result.Members[0].Type.Constants, []model.Constant{{Name: "High", Value: 8}, {Name: "Low", Value: 4}}; !slices.Equal(got, want) {
		t.Errorf("enum: %v, want %v", got, want)
	}
	if deep := result.Members[1].Type.Elem.Elem; len(deep.Members) != 2 {
		t.Errorf("deep: %v", deep)
	}
	if len(c.Sentinels) != 1 || c.Sentinels[0].ID() != "example.com/other/a.ErrOdd" {
		t.Errorf("sentinels: %v", c.Sentinels)
	}
	if !slices.ContainsFunc(c.ErrorTypes, func(e *model.Type) bool { return e.ID() == "example.com/other/a.Failure" }) {
		t.Errorf("error types: %v", c.ErrorTypes)
	}
}

// What is read is what is reached: much less than what is imported.
func TestReached(t *testing.T) {
	p := newPackage(map[string]string{"c/c.go": usesURL})
	f := files{overlay: p.overlay}
	mod, err := findModule(f, p.dir)
	if err != nil {
		t.Fatal(err)
	}
	quick := newLoader(f, mod, p.dir)
	if _, _, err := quick.contract([]string{"I"}); err != nil {
		t.Fatal(err)
	}
	found, err := listForeign(t.Context(), nil, quick, newLoader(f, mod, p.dir).fset)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := slices.Sorted(maps.Keys(found.parsed)), []string{"context", "errors", "fmt", "io", "iter", "net/url", "time"}; !slices.Equal(got, want) {
		t.Errorf("read %v, want %v", got, want)
	}
}
