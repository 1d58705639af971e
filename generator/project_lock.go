package generator

import (
	"bytes"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plugingen/plugingen/generator/internal/lock"
	"github.com/plugingen/plugingen/generator/internal/merge"
	"github.com/plugingen/plugingen/generator/internal/render"
	"github.com/plugingen/plugingen/generator/tree"
)

// LockName is the file in which a project records what it was made from, see package update.
const LockName = lock.Name

// maxRecordedText bounds a text that is recorded for merges; of a longer one only the hash is.
const maxRecordedText = 1 << 20

// addLock records the wish and every file of the project in a file of its own.
func (b *builder) addLock(wish ProjectRequest, p *Project) error {
	version, _, err := RuntimeVersions()
	if err != nil {
		return err
	}
	l := &lock.Lock{
		Generator: version, Kind: b.kind.set, Name: p.Name, Module: p.Module,
		Interface: wish.Interface, Contract: b.recordedContract(wish.Contract), Runtime: recordedRuntime(wish.Runtime),
		Template: lock.Template(p.Template),
	}
	secrets := [][]byte{}
	for _, name := range slices.Sorted(maps.Keys(p.Answers)) {
		a := p.Answers[name]
		if text, ok := a.Value.(string); ok && a.Secret && text != "" && wish.tells(name) {
			secrets = append(secrets, []byte(text))
		}
		if a.Secret {
			a.Value = nil
		}
		l.Answers = append(l.Answers, lock.Answer{Name: name, Value: a.Value})
	}
	for _, f := range p.Tree.Files() {
		r := recorded(f, secrets)
		r.From = b.from[f.Path]
		l.Files = append(l.Files, r)
	}
	return p.Tree.Add(tree.File{Path: LockName, Data: l.Format(), Owner: tree.Record})
}

// noteFrom keeps the template of a file whose name is not the template's: a rule or an action made it.
func (b *builder) noteFrom(name string, o render.Output) {
	if _, own, _ := strings.Cut(render.PlainName(o.Name), "/"); own != name {
		b.from[name] = o.Name
	}
}

// tells says whether somebody told the value of a variable: a default is no secret, and may be a word that is everywhere.
func (r ProjectRequest) tells(name string) bool {
	_, answered := r.Answers[name]
	_, suggested := r.Suggested[name]
	return answered || suggested || r.Ask != nil
}

// recorded keeps the text of what a merge may need: not of generated files, which are replaced, nor of checksums and the
// copy of the runtime, which nobody edits.
func recorded(f tree.File, secrets [][]byte) lock.File {
	r := lock.File{Path: f.Path, Owner: f.Owner, Mode: f.Mode, Hash: lock.Sum(f.Data)}
	has := func(secret []byte) bool { return bytes.Contains(f.Data, secret) }
	switch {
	case slices.ContainsFunc(secrets, has):
		r.Secret = true
	case f.Owner != tree.Scaffolded, path.Ext(f.Path) == ".sum", strings.HasPrefix(f.Path, copyDir+"/"):
	case len(f.Data) > maxRecordedText, merge.IsBinary(f.Data):
	default:
		r.Text = append([]byte{}, f.Data...)
	}
	return r
}

// recordedContract is relative to the project where it is a folder: projects move together with their neighbours.
func (b *builder) recordedContract(contract string) string {
	if contract == "" || !isFolder(contract) {
		return contract
	}
	abs, err := filepath.Abs(contract)
	if err != nil {
		return contract
	}
	return b.pathTo(abs)
}

// recordedRuntime is empty where the program that runs decides.
func recordedRuntime(r Runtime) string {
	if r.Copy {
		return "copy"
	}
	return filepath.ToSlash(r.Dir)
}
