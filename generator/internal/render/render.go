// Package render turns template sets and data into the bytes of files.
//
// A template may walk its data and nothing else: no clock, no environment, no files, no commands. What data says
// cannot change the structure of a file, see [Code].
package render

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"text/template"
)

// maxOutput bounds one rendered file: a template that repeats for ever is an error, not an exhausted machine.
const maxOutput = 16 << 20

// Shared is the folder of a set whose files are not rendered: each is a partial, known by its name without .tmpl.
const Shared = "shared"

// Output is one rendered file.
type Output struct {
	Path     string // where it goes in the project, slash-separated; not checked
	Data     []byte // Go source is formatted
	Template string // where it came from
}

// Set is a stack of template folders.
type Set struct {
	from map[string]fs.FS // by path: the topmost layer that has it
}

// NewSet stacks layers: a file of a later one replaces the file of the same path in those before it.
func NewSet(layers ...fs.FS) (*Set, error) {
	s := &Set{from: map[string]fs.FS{}}
	for _, layer := range layers {
		err := fs.WalkDir(layer, ".", func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.Type().IsRegular():
				s.from[name] = layer
			case !d.IsDir():
				return fmt.Errorf("template %s is not a plain file", name)
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("read the templates: %w", err)
		}
	}
	return s, nil
}

// Render renders every file below the folder dir with data, sorted by path. A file whose name, or whose folder's name,
// renders to nothing is left out. All faults are reported at once; each is an *Error.
func (s *Set) Render(dir string, data any) ([]Output, error) {
	partials, err := s.partials()
	if err != nil {
		return nil, err
	}
	var outputs []Output
	var faults []error
	for _, name := range s.below(dir) {
		o, err := s.renderFile(dir, name, partials, data)
		if err != nil {
			faults = append(faults, err)
		} else if o.Path != "" {
			outputs = append(outputs, o)
		}
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	slices.SortFunc(outputs, func(a, b Output) int { return strings.Compare(a.Path, b.Path) })
	return outputs, nil
}

func (s *Set) below(dir string) []string {
	var names []string
	for name := range s.from {
		if strings.HasPrefix(name, dir+"/") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

type partial struct{ name, template, text string }

func (s *Set) partials() ([]partial, error) {
	var partials []partial
	for _, name := range s.below(Shared) {
		text, err := fs.ReadFile(s.from[name], name)
		if err != nil {
			return nil, &Error{Template: name, Err: err}
		}
		partials = append(partials, partial{strings.TrimSuffix(path.Base(name), suffix), name, string(text)})
	}
	return partials, nil
}

func (s *Set) renderFile(dir, name string, partials []partial, data any) (Output, error) {
	o := Output{Template: name}
	text, err := fs.ReadFile(s.from[name], name)
	if err != nil {
		return o, &Error{Template: name, Err: err}
	}
	o.Path, err = renderName(strings.TrimPrefix(name, dir+"/"), data)
	if err != nil || o.Path == "" {
		return o, err
	}
	if !strings.HasSuffix(name, suffix) {
		o.Data = text
		return o, nil
	}
	t, err := parseFile(name, o.Path, string(text), partials)
	if err != nil {
		return o, err
	}
	raw, err := execute(t, data)
	if err != nil {
		return o, err
	}
	o.Data, err = finish(t, o.Path, raw)
	return o, err
}

// Source renders the single Go template text, which goes by name in errors, and formats it.
func Source(name, text string, data any) ([]byte, error) {
	t, err := parseFile(name, "x.go", text, nil)
	if err != nil {
		return nil, err
	}
	raw, err := execute(t, data)
	if err != nil {
		return nil, err
	}
	return finish(t, "x.go", raw)
}

// parseFile builds the template for one file: the partials are parsed anew, since what they may print depends on the file.
func parseFile(name, target, text string, partials []partial) (*template.Template, error) {
	t := template.New(name).Option("missingkey=error").Funcs(functions()).Funcs(template.FuncMap{guardName: guardFor(target)})
	if !strings.Contains(text, "template ") {
		partials = nil // it calls none, and they cost more to parse than most files
	}
	for _, p := range partials {
		if _, err := t.New(p.name).Parse(p.text); err != nil {
			return nil, &Error{Template: p.template, Err: err}
		}
	}
	if _, err := t.Parse(text); err != nil {
		return nil, &Error{Template: name, Err: err}
	}
	guardAll(t)
	return t, nil
}

func execute(t *template.Template, data any) ([]byte, error) {
	var b limited
	if err := t.Execute(&b, data); err != nil {
		return nil, &Error{Template: t.Name(), Err: err}
	}
	return b.Bytes(), nil
}

func finish(t *template.Template, target string, raw []byte) ([]byte, error) {
	if path.Ext(target) != ".go" {
		return raw, nil
	}
	formatted, err := formatGo(t, raw)
	if err != nil {
		return nil, &Error{Template: t.Name(), Err: err}
	}
	return formatted, nil
}

// limited is a buffer with a bound.
type limited struct{ bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	if l.Len()+len(p) > maxOutput {
		return 0, fmt.Errorf("the file grows beyond %d bytes", maxOutput)
	}
	return l.Buffer.Write(p)
}

// Error is a fault of a template, or of what a template was given.
type Error struct {
	Template string // its path in the set
	Err      error  // has the line
}

// Error names the template; text/template's own errors have its name and the line already.
func (e *Error) Error() string {
	if text := e.Err.Error(); strings.HasPrefix(text, "template: "+e.Template+":") {
		return text
	}
	return "template: " + e.Template + ": " + e.Err.Error()
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }
