package generator

import (
	"bytes"
	"errors"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/plugingen/plugingen/generator/internal/lock"
	"github.com/plugingen/plugingen/generator/internal/render"
	"github.com/plugingen/plugingen/generator/internal/stubs"
	"github.com/plugingen/plugingen/generator/model"
	"github.com/plugingen/plugingen/generator/tree"
	"github.com/plugingen/plugingen/templates"
)

// callsName is the table of methods of a host's project.
const callsName = "command/zz_plugingen_calls.go"

// addCalls brings a host's table of methods up to date, where the module at the root has one for the contract. It is generated, so
// one that somebody made their own, without the header, stays. What another set of templates makes of it is only known to an update.
func (w *stubWriter) addCalls() error {
	name := filepath.Join(w.Root, filepath.FromSlash(callsName))
	there, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !tree.IsGenerated(there) || !slices.Contains(stubs.Imported(there), w.contract.Package.Path) {
		return nil
	}
	w.Read = append(w.Read, name)
	data, err := renderCalls(w.runtime, w.contract)
	if err != nil || bytes.Equal(data, there) {
		return err
	}
	if w.hasTeamTemplates() {
		w.note(stubs.CodeCalls, token.Position{Filename: callsName, Line: 1, Column: 1}, "the host's table of methods",
			"it may differ from the contract, and this project's own templates make it", "run plugingen update")
		return nil
	}
	w.Files = append(w.Files, tree.File{Path: callsName, Data: data, Owner: tree.Generated})
	return nil
}

// hasTeamTemplates says whether the lock names another set than the built-in one.
func (w *stubWriter) hasTeamTemplates() bool {
	data, err := os.ReadFile(filepath.Join(w.Root, LockName))
	if err != nil {
		return false
	}
	l, err := lock.Parse(data)
	return err == nil && l.Template.Origin != ""
}

// renderCalls is the table as the built-in templates make it.
func renderCalls(runtimeModule string, c *model.Contract) ([]byte, error) {
	v := &view{Self: runtimeModule, Contract: contractView{Name: localName(c.Package.Name), Path: c.Package.Path}}
	v.addServices(c)
	code := &codeView{view: v, contract: c}
	if err := code.addCalls(); err != nil {
		return nil, err
	}
	text, err := templates.Set.ReadFile("host/" + callsName + ".tmpl")
	if err != nil {
		return nil, err
	}
	return render.Source(callsName, string(text), v)
}
