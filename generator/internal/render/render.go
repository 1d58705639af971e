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

const (
	// maxOutput bounds one rendered file: a template that repeats for ever is an error, not an exhausted machine.
	maxOutput = 16 << 20
	// maxTotal bounds all files of a set.
	maxTotal = 64 << 20
)

// Partials is the folder of a set whose files are not rendered: each is known by its name without .tmpl.
const Partials = "partials"

// Output is one rendered file.
type Output struct {
	Path     string      // where it goes in the project, slash-separated; not checked
	Data     []byte      // Go source is formatted
	Name     string      // the template's path in its set
	Template string      // the same as in errors: with what its set is called before it
	Layers   []string    // names of the layers that have a part in the file, lowest first
	Parts    []string    // the templates that can have a part in the file, as in errors, sorted
	Policy   string      // generated, scaffolded, or empty: what the file's header says
	Mode     fs.FileMode // zero means the usual one
}

// Options change how a set is rendered.
type Options struct {
	// Raw leaves Go source as the templates wrote it. It is parsed all the same.
	Raw bool
}

// Render renders every file below the folder dir with data, sorted by path. A file whose name, or whose folder's name,
// renders to nothing is left out, and so is one whose rule says so. All faults are reported at once; each is an *Error.
func (s *Set) Render(dir string, data any, o Options) ([]Output, error) {
	var outputs []Output
	var faults []error
	total := 0
	for _, name := range s.below(dir) {
		out, err := s.renderFile(dir, name, data, o)
		if err == nil {
			total += len(out.Data)
			if total > maxTotal {
				err = &Error{Template: out.Template, Err: fmt.Errorf("all files together grow beyond %d bytes", maxTotal)}
			}
		}
		if err != nil {
			faults = append(faults, err)
		} else if out.Path != "" {
			outputs = append(outputs, out)
		}
		if total > maxTotal {
			break
		}
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	slices.SortFunc(outputs, func(a, b Output) int { return strings.Compare(a.Path, b.Path) })
	return outputs, nil
}

func (s *Set) renderFile(dir, name string, data any, options Options) (Output, error) {
	stack, err := s.stack(name)
	if err != nil {
		return Output{}, err
	}
	o := Output{Name: name, Template: stack[0].shown(), Layers: stack.layers(), Parts: []string{stack[0].shown()}}
	if o.Path, err = s.place(dir, name, data, &o); err != nil || o.Path == "" {
		return o, err
	}
	if !strings.HasSuffix(name, suffix) {
		o.Data = stack[0].text
		return o, nil
	}
	if err := s.checkBase(name, stack); err != nil {
		return o, err
	}
	t, err := s.parse(stack, o.Path)
	if err != nil {
		return o, err
	}
	o.Layers, o.Parts = s.contributed(t, stack)
	raw, err := execute(t, data)
	if err != nil {
		return o, err
	}
	if o.Data, err = finish(t, o.Path, raw); err == nil && options.Raw {
		o.Data = raw
	}
	return o, err
}

// checkBase refuses definitions that have nothing to change: they look like a file, and would be none.
func (s *Set) checkBase(name string, stack versions) error {
	bottom := stack[len(stack)-1]
	if only, err := s.definesOnly(bottom); err != nil || !only {
		return err
	}
	return &Error{Template: bottom.shown(), Err: fmt.Errorf("it has definitions alone, and no set below has a file %s that they could change", name)}
}

// place is where the file goes: what its rule says, else what its name renders to. Empty means that it is left out.
func (s *Set) place(dir, name string, data any, o *Output) (string, error) {
	rule := s.rule(name)
	o.Policy, o.Mode = rule.Policy, rule.Mode
	if rule.When.Text != "" {
		if yes, err := rule.When.True(data); err != nil || !yes {
			return "", err
		}
	}
	if rule.Rename.Text != "" {
		return rule.Rename.Value(data)
	}
	return renderName(o.Template, strings.TrimPrefix(name, dir+"/"), data)
}

// Source renders the single Go template text, which goes by name in errors, and formats it.
func Source(name, text string, data any) ([]byte, error) {
	t, err := newTemplate(name, "x.go").Parse(text)
	if err != nil {
		return nil, locate(name, text, err)
	}
	guardAll(t, nil)
	raw, err := execute(t, data)
	if err != nil {
		return nil, err
	}
	return finish(t, "x.go", raw)
}

// newTemplate is an empty template for the file named target.
func (s *Set) newTemplate(name, target string) *template.Template {
	return withFunctions(name, target, s.fixed)
}

func newTemplate(name, target string) *template.Template { return withFunctions(name, target, fixed()) }

func withFunctions(name, target string, fixed template.FuncMap) *template.Template {
	return template.New(name).Option("missingkey=error").Funcs(fixed).Funcs(perFile(target)).Funcs(guards(target))
}

func execute(t *template.Template, data any) ([]byte, error) {
	var b limited
	if err := t.Execute(&b, data); err != nil {
		return nil, locate(t.Name(), "", err)
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
