package generators

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// writeSample makes a module with an interface of n methods in dir, and what else a tool wants there.
func writeSample(dir string, n int, more map[string]string) error {
	files := map[string]string{
		"go.mod":         "module example.com/sample\n\ngo 1.26.0\n",
		"store/store.go": sampleSource(n),
	}
	for name, text := range more {
		files[name] = text
	}
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

const sampleHead = `// Package store is a sample.
package store

import (
	"context"
	"time"
)

// Item is what is stored.
type Item struct {
	Key    string
	Value  []byte
	Labels map[string]string
	At     time.Time
}

// Store has methods.
type Store interface {
`

// sampleSource uses standard types alone, as most contracts do.
func sampleSource(n int) string {
	var b strings.Builder
	b.WriteString(sampleHead)
	for i := range n {
		fmt.Fprintf(&b, "\t// Method%03d does one thing.\n\tMethod%03d(ctx context.Context, key string, items []Item, limit int64) (found []Item, more bool, err error)\n", i, i)
	}
	b.WriteString("}\n")
	return b.String()
}
