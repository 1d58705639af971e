package generators

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// writeSample makes a module with the interface that the work is about in dir, and what else a tool wants there.
func writeSample(root, dir string, w work, more map[string]string) error {
	files := map[string]string{
		"go.mod":         sampleModule,
		"store/store.go": sampleSource(max(1, w.methods), w.modules),
	}
	if w.modules {
		if err := requireLikeBench(root, files); err != nil {
			return err
		}
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

const sampleModule = "module example.com/sample\n\ngo 1.26.0\n"

// requireLikeBench makes the sample's module require what the bench's own does, so that nothing else has to be downloaded.
func requireLikeBench(root string, files map[string]string) error {
	own, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return err
	}
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString(sampleModule)
	for line := range strings.Lines(string(own)) {
		first, _, _ := strings.Cut(line, " ")
		if first != "module" && first != "go" && first != "replace" && !strings.HasSuffix(strings.TrimSpace(line), " v0.0.0") { // which is ours
			b.WriteString(line)
		}
	}
	files["go.mod"], files["go.sum"] = b.String(), string(sums)
	return nil
}

const (
	standardImports = `"context"
	"time"`
	moduleImports = `

	"github.com/hashicorp/go-hclog"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/structpb"`
	moduleFields = `
	Level hclog.Level
	Code  codes.Code
	Meta  metadata.MD
	More  *structpb.Struct`
)

const sampleText = `// Package store is a sample.
package store

import (
	%s
)

// Item is what is stored.
type Item struct {
	Key    string
	Value  []byte
	Labels map[string]string
	At     time.Time%s
}

// Store has methods.
type Store interface {
`

// sampleSource uses standard types alone, as most contracts do, or those of modules besides.
func sampleSource(n int, modules bool) string {
	var b strings.Builder
	if modules {
		fmt.Fprintf(&b, sampleText, standardImports+moduleImports, moduleFields)
	} else {
		fmt.Fprintf(&b, sampleText, standardImports, "")
	}
	for i := range n {
		fmt.Fprintf(&b, "\t// Method%03d does one thing.\n\tMethod%03d(ctx context.Context, key string, items []Item, limit int64) (found []Item, more bool, err error)\n", i, i)
	}
	b.WriteString("}\n")
	return b.String()
}
