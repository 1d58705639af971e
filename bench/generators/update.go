package generators

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	updateSet      = "acme"     // the folder of the set
	updateOriginal = "original" // the folder of the project as its owner left it
	// updateFiles make a project of 40, together with those of the built-in set; of updateEdited its owner changed a line.
	updateFiles, updateEdited = 23, 10
)

// outdate puts a project there that is a version behind its templates, and that its owner has worked on.
func (j *job) outdate() error {
	if _, err := os.Stat(filepath.Join(j.dir, updateOriginal)); errors.Is(err, fs.ErrNotExist) {
		if err := j.makeOutdated(); err != nil {
			return err
		}
	}
	project := filepath.Join(j.dir, newProject)
	return errors.Join(os.RemoveAll(project), os.CopyFS(project, os.DirFS(filepath.Join(j.dir, updateOriginal))))
}

func (j *job) makeOutdated() error {
	if err := j.writeSet("before"); err != nil {
		return err
	}
	cmd := exec.Command(j.program, "new", newProject, "--dir", updateOriginal, "--template", "./"+updateSet)
	cmd.Dir = j.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", j.tool.name, err, out)
	}
	for i := range updateEdited {
		if err := replaceIn(filepath.Join(j.dir, updateOriginal, updateFile(i)), "the last line", "mine"); err != nil {
			return err
		}
	}
	contract := filepath.Join(j.dir, updateOriginal, "greeter", "greeter.go")
	return errors.Join(replaceIn(contract, "Visits int", "Visits, Stays int"), j.writeSet("after"))
}

func updateFile(i int) string { return fmt.Sprintf("file%d.md", i) }

// writeSet makes every file of the set differ in one line from that of another version.
func (j *job) writeSet(version string) error {
	dir := filepath.Join(j.dir, updateSet)
	err := errors.Join(
		os.MkdirAll(filepath.Join(dir, "plugin"), 0o755),
		os.WriteFile(filepath.Join(dir, "template.yaml"), []byte("schema: 1\nname: acme\nkinds: [plugin]\n"), 0o644),
	)
	for i := range updateFiles {
		text := fmt.Sprintf("# {{.Name}} %d\n%s\n%sthe last line\n", i, version, strings.Repeat("one of many lines\n\n", 30))
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, "plugin", updateFile(i)+".tmpl"), []byte(text), 0o644))
	}
	return err
}

func replaceIn(name, from, to string) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	changed := bytes.Replace(data, []byte(from), []byte(to), 1)
	if bytes.Equal(changed, data) {
		return fmt.Errorf("%s has no %q", name, from)
	}
	return os.WriteFile(name, changed, 0o644)
}
