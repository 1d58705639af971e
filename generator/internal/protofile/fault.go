package protofile

import (
	"cmp"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/bufbuild/protocompile/reporter"

	"github.com/plugingen/plugingen/generator/internal/inspect"
	"github.com/plugingen/plugingen/generator/model"
)

// Codes of faults and warnings: stable, never given to something else.
const (
	codeProto     = "PG0050"
	codeImport    = "PG0051"
	codeNoFile    = "PG0052"
	codeNoService = "PG0053"
	codeGoPackage = "PG0054"
	codeNoMethods = "PG0120"
)

// faults gathers what is wrong with the files, and what should be known. Files are compiled side by side.
type faults struct {
	place *inspect.Place
	mu    sync.Mutex
	list  model.Diagnostics
	notes model.Diagnostics
}

func (f *faults) add(d model.Diagnostic) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = append(f.list, d)
}

// maxFaults is how many are told: a file that is no .proto has one in every word.
const maxFaults = 20

// err is all faults, sorted by position.
func (f *faults) err() error {
	list := sorted(f.list)
	return list[:min(len(list), maxFaults)].Err()
}

func sorted(list model.Diagnostics) model.Diagnostics {
	slices.SortStableFunc(list, func(a, b model.Diagnostic) int {
		return cmp.Or(cmp.Compare(a.File, b.File), a.Line-b.Line, a.Column-b.Column, cmp.Compare(a.Why, b.Why))
	})
	return slices.Compact(list)
}

func (f *faults) unreadable(file string, err error) error {
	d := model.Diagnostic{Code: codeNoFile, File: f.place.Relative(file), Why: err.Error(), Hint: "name a .proto file that can be read"}
	if errors.Is(err, fs.ErrNotExist) {
		d.Why, d.Hint = "there is no such file", "check --proto"
	}
	return model.Diagnostics{d}
}

// reporter goes on after a fault, so that all are told at once. Disk has the files by the names that the compiler knows.
func (f *faults) reporter(disk map[string]string) reporter.Reporter {
	return reporter.NewReporter(func(err reporter.ErrorWithPos) error {
		f.at(disk, err)
		return nil
	}, nil)
}

func (f *faults) at(disk map[string]string, err reporter.ErrorWithPos) {
	at := err.GetPosition()
	d := model.Diagnostic{
		Code: codeProto, File: f.shown(disk, at.Filename), Line: at.Line, Column: at.Col, Why: err.Unwrap().Error(), Hint: "correct the file, then generate again",
	}
	var lost *missing
	if errors.As(err, &lost) {
		d.Code, d.Where, d.Why = codeImport, "import "+lost.name, "there is no such file in the folder of the .proto or in one above it, up to that of go.mod"
		d.Hint = "lay it there, with the folders of its name"
	}
	f.add(d)
}

func (f *faults) shown(disk map[string]string, name string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if file, ok := disk[name]; ok {
		return f.place.Relative(file)
	}
	return filepath.ToSlash(strings.TrimSpace(name))
}
