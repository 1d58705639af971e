package update

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plugingen/plugingen/generator/tree"
)

const declaredBase = `package main

import "context"

type my struct{}

// Greet greets.
func (p *my) Greet(ctx context.Context) error { return nil }
`

const declaredTheirs = `package main

import (
	"context"
	"time"

	"example.com/clock/v2"
)

type my struct{}

// Greet greets.
func (p *my) Greet(ctx context.Context) error { return nil }

// Hail hails.
func (p *my) Hail(until time.Time, c clock.Clock) error { return nil }

func init() {}

// Wave waves.
func (p *my) Wave(ctx context.Context) error { return nil }
`

// TestWithoutDeclared has the owner declare what the template brings, in this file or in another.
func TestWithoutDeclared(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		gone  []string // of the template's file
	}{
		"nothing":          {},
		"another file":     {files: map[string]string{"more.go": "package main\n\nfunc (m my) Hail() {}\n"}, gone: []string{"Hail", "time", "clock"}},
		"both":             {files: map[string]string{"more.go": "package main\n\nfunc (m *my) Wave() {}\n\nfunc (m *my) Hail() {}\n"}, gone: []string{"Hail", "Wave", "time", "clock"}},
		"its own":          {files: map[string]string{"main.go": strings.ReplaceAll(declaredBase, "Greet", "Wave")}, gone: []string{"Wave"}},
		"of another type":  {files: map[string]string{"more.go": "package main\n\nfunc (o other) Hail() {}\n\nfunc Wave() {}\n\nfunc init() {}\n"}},
		"another package":  {files: map[string]string{"more_test.go": "package main_test\n\nfunc (m my) Hail() {}\n"}},
		"no Go":            {files: map[string]string{"more.go": "package main\n\nfunc (m my) Hail( {}\n", "notes.txt": "func (m my) Wave() {}"}},
		"as it was before": {files: map[string]string{"more.go": "package main\n\nfunc (m my) Greet() {}\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range c.files {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			root, err := os.OpenRoot(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = root.Close() }()
			p := &planner{root: root, contents: map[string]*onDisk{}}
			got, err := p.withoutDeclared(tree.File{Path: "main.go", Data: []byte(declaredTheirs)}, []byte(declaredBase))
			if err != nil {
				t.Fatal(err)
			}
			text := string(got.Data)
			for _, word := range []string{"Greet", "Hail", "Wave", "time", "clock", "func init"} {
				has, want := strings.Contains(text, word), true
				for _, g := range c.gone {
					want = want && g != word
				}
				if has != want {
					t.Errorf("%s is there: %v, want %v, in\n%s", word, has, want, text)
				}
			}
			if file, _ := parseGo(got.Data); file == nil || strings.Contains(text, "\n\n\n") {
				t.Errorf("not Go as gofmt leaves it:\n%s", text)
			}
			if len(c.gone) == 0 && text != declaredTheirs {
				t.Errorf("changed:\n%s", text)
			}
		})
	}
}
