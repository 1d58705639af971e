package generator

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ContractPlace is a folder that plugingen generates in.
type ContractPlace struct {
	Dir   string   // relative to where it was looked for, with slashes
	Types []string // the interfaces that its directive names, or that it was generated for; may be empty
	// Protos are the .proto files that its directive names, or that it was generated from, relative to it; nil for Go interfaces.
	Protos []string
}

// FindGenerated returns the packages in dir and below that have a directive of go generate which runs plugingen generate, or that
// were generated, sorted. Folders that the go command ignores are left out, as are vendored packages.
func FindGenerated(dir string) ([]ContractPlace, error) {
	var places []ContractPlace
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrPermission):
			return nil
		case err != nil:
			return err
		case !d.IsDir():
			return nil
		case name != dir && skipped(d.Name()):
			return fs.SkipDir
		}
		place, found, err := directiveIn(name)
		if err != nil || !found {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		place.Dir = filepath.ToSlash(rel)
		places = append(places, place)
		return err
	})
	slices.SortFunc(places, func(a, b ContractPlace) int { return strings.Compare(a.Dir, b.Dir) })
	return places, err
}

// directiveIn looks at the Go files directly in a folder.
func directiveIn(dir string) (place ContractPlace, found bool, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return place, false, err
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || filepath.Ext(e.Name()) != ".go" {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return place, false, err
		}
		if words, ok := directive(data); ok {
			return ContractPlace{Types: listIn("type", words), Protos: listIn("proto", words)}, true, nil
		}
		found = found || e.Name() == GluedName
	}
	if found {
		place.Protos, err = ProtosIn(dir)
	}
	if found && err == nil && place.Protos == nil {
		place.Types, err = ServicesIn(dir)
	}
	return place, found, err
}

// directive finds the line, such as //go:generate go tool plugingen generate -type Greeter.
func directive(data []byte) (args []string, found bool) {
	if !bytes.Contains(data, []byte("\n//go:generate ")) && !bytes.HasPrefix(data, []byte("//go:generate ")) {
		return nil, false
	}
	for line := range strings.Lines(string(data)) {
		rest, ok := strings.CutPrefix(line, "//go:generate ")
		if !ok {
			continue
		}
		words := strings.Fields(rest)
		for i, word := range words {
			if i > 0 && word == "generate" && strings.TrimSuffix(filepath.Base(filepath.FromSlash(words[i-1])), ".exe") == "plugingen" {
				return words[i+1:], true
			}
		}
	}
	return nil, false
}

// listIn is what a flag names, in any of its forms.
func listIn(flag string, words []string) []string {
	for i, word := range words {
		name, value, joined := strings.Cut(strings.TrimLeft(word, "-"), "=")
		if name != flag || !strings.HasPrefix(word, "-") {
			continue
		}
		if !joined && i+1 < len(words) {
			value = words[i+1]
		}
		if value = strings.Trim(value, `"`); value != "" {
			return strings.Split(value, ",")
		}
	}
	return nil
}
