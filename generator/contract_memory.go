package generator

import (
	"bytes"
	"encoding/json"
	"path"
	"path/filepath"
	"strings"

	"github.com/plugingen/plugingen/generator/internal/seen"
	"github.com/plugingen/plugingen/generator/model"
)

// memory is what one run of Contract leaves for the next one.
type memory struct {
	dir      string // absolute
	asked    string
	trace    seen.Trace
	files    []ContractFile
	warnings model.Diagnostics
}

// memory is nil unless the request wants one and reads nothing but the disk.
func (req ContractRequest) memory() *memory {
	dir, err := filepath.Abs(req.Dir)
	if err != nil || !req.Remember || len(req.Overlay) > 0 || req.Env != nil {
		return nil
	}
	return &memory{dir: dir, asked: req.asked()}
}

func (m *memory) recorder() *seen.Trace {
	if m == nil {
		return nil
	}
	return &m.trace
}

// settle takes what the run made. Where the .proto changes, the next run starts from another one, so that this run says
// nothing about it.
func (m *memory) settle(earlier []byte, files []ContractFile, warnings model.Diagnostics) {
	if m == nil {
		return
	}
	m.files, m.warnings = files, warnings
	for _, f := range files {
		if path.Ext(f.Name) == ".proto" && !bytes.Equal(f.Data, earlier) {
			m.trace.Break()
		}
	}
}

// Remember is called when the files lie in the contract's folder. From then on Unchanged answers for the same request, as long as
// nothing changes that decided about them. It writes a small file in the user's cache; where it cannot, nothing is remembered.
// Changes of the other files that are named count, too.
func (r *ContractResult) Remember(files ...string) {
	m := r.memory
	if m == nil {
		return
	}
	folders := map[string]bool{}
	for _, f := range m.files {
		name := filepath.Join(m.dir, filepath.FromSlash(f.Name))
		m.trace.Output(name, f.Data)
		folders[filepath.Dir(name)] = true
	}
	for dir := range folders {
		m.trace.Folder(dir) // what was generated once and no longer is lies there
	}
	for _, name := range files {
		m.trace.File(name)
	}
	note, err := json.Marshal(m.warnings)
	if err != nil {
		return
	}
	m.trace.Keep(m.dir, m.asked, note)
}

// asked is what a run is asked for; empty for what the last one was.
func (req ContractRequest) asked() string {
	if len(req.Protos) > 0 {
		return "proto " + strings.Join(req.Protos, ",")
	}
	return strings.Join(req.Types, ",")
}

// Unchanged says, without running it, whether Contract would return for the request the files that lie in the folder: what
// a remembered run read is as it was, and so are its results, the program and its environment. Warnings are those of that
// run. A request without types means those of the last run. Whatever is in doubt is not unchanged.
func Unchanged(req ContractRequest) (warnings model.Diagnostics, ok bool) {
	dir, err := filepath.Abs(req.Dir)
	if err != nil || len(req.Overlay) > 0 || req.Env != nil {
		return nil, false
	}
	note, ok := seen.Same(dir, req.asked())
	if !ok || json.Unmarshal(note, &warnings) != nil {
		return nil, false
	}
	return warnings, true
}
