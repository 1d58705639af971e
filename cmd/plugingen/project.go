package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/plugingen/plugingen/generator"
	"github.com/plugingen/plugingen/generator/tree"
)

// projectOptions are what new and host have in common.
type projectOptions struct {
	writeOptions
	templates             templateOptions
	name, module, dir     string
	interfaceName         string
	contract, runtimeFrom string
	adopt                 bool
}

func (o *projectOptions) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.module, "module", "", "module path (default example.com/NAME)")
	f.StringVar(&o.dir, "dir", "", "folder of the project (default NAME)")
	f.StringVar(&o.interfaceName, "interface", "", "make an interface of another module the contract: PKG.Type or PKG.Type@VERSION, and directives for it after a blank")
	f.StringVar(&o.contract, "contract", "", "use a contract that exists: the folder or the import path of its package")
	f.StringVar(&o.runtimeFrom, "runtime", "", `where the project finds the runtime: "copy" lays a copy into it, a folder is a checkout of plugingen`)
	f.BoolVar(&o.adopt, "adopt", false, "write "+generator.LockName+" alone, for a project that was made without one: plugingen update can follow from now on")
	o.writeOptions.register(cmd)
	o.templates.register(cmd)
}

// adopted is the tree that the options ask for: with --adopt the lock alone.
func (o projectOptions) adopted(dir string, t *tree.Tree) (*tree.Tree, error) {
	if !o.adopt {
		return t, nil
	}
	refuse := func(reason, hint string) (*tree.Tree, error) {
		return nil, &generator.InputError{What: "folder", Value: dir, Reason: reason, Hint: hint}
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		return refuse("it has no go.mod, so there is no project to adopt", "without --adopt one is written")
	}
	if _, err := os.Lstat(filepath.Join(dir, generator.LockName)); err == nil && !o.force {
		return refuse("it has a "+generator.LockName+" already", "plugingen update follows it")
	}
	file, _ := t.File(generator.LockName)
	lone := new(tree.Tree)
	return lone, lone.Add(file)
}

// request checks what the flags say by themselves; the generator checks names.
func (o *projectOptions) request(ctx context.Context, s streams) (generator.ProjectRequest, error) {
	r := generator.ProjectRequest{
		Name: o.name, Module: o.module, Dir: o.dir, Interface: o.interfaceName, Contract: o.contract, Progress: s.err,
	}
	if err := o.validate(); err != nil {
		return r, err
	}
	if o.interfaceName != "" && o.contract != "" {
		return r, usagef("--interface and --contract exclude each other")
	}
	if err := generator.CheckProjectName(o.name); err != nil {
		return r, err // before the name becomes a folder
	}
	if r.Dir == "" {
		r.Dir = o.name
	}
	var err error
	if r.Runtime, err = runtimeFrom(o.runtimeFrom); err != nil {
		return r, err
	}
	return r, o.templates.apply(ctx, s, &r, o.json)
}

// made is what both commands have to say about a project.
func (o *projectOptions) made(ctx context.Context, s streams, cmd *cobra.Command, args []string, dir string, p *generator.Project) (work, error) {
	w := work{
		dir: dir, tree: p.Tree, warnings: p.Warnings, project: p, repeat: o.templates.repeat(cmd, args, p, dir),
		after: func() error { return runPost(ctx, s, dir, p.Post) },
	}
	if o.adopt {
		w.after = nil
	}
	var err error
	w.tree, err = o.adopted(dir, p.Tree)
	return w, err
}

func runtimeFrom(flag string) (generator.Runtime, error) {
	switch flag {
	case "":
		return generator.Runtime{}, nil
	case "copy":
		r := generator.DetectRuntime()
		r.Copy = true
		return r, nil
	default:
		return generator.CheckoutRuntime(flag)
	}
}

// enter is how to get into the project, and to make it part of the workspace that it lies in, if it does.
func enter(dir string) []string {
	lines := []string{"cd " + shownDir(dir)}
	if inWorkspace(dir) {
		lines = append(lines, "go work use .            # there is a go.work above")
	}
	return lines
}

// inWorkspace goes by what the go command would find.
func inWorkspace(dir string) bool {
	if os.Getenv("GOWORK") == "off" {
		return false
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return false
	}
	for ; ; abs = filepath.Dir(abs) {
		if _, err := os.Stat(filepath.Join(abs, "go.work")); err == nil {
			return true
		}
		if abs == filepath.Dir(abs) {
			return false
		}
	}
}

// shownDir is the target as a person would type it.
func shownDir(dir string) string {
	if strings.ContainsAny(dir, " '\"$") {
		return "'" + dir + "'"
	}
	return filepath.ToSlash(dir)
}

func countFiles(t *tree.Tree) string {
	if t.Len() == 1 {
		return "1 file"
	}
	return fmt.Sprintf("%d files", t.Len())
}
