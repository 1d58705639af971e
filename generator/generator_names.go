package generator

import (
	"regexp"
	"strings"

	"golang.org/x/mod/module"
)

// projectName is the grammar of a project's name: it becomes a folder, a program, and a word in a Makefile.
var projectName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)

// ProjectNameRule is the grammar of project names, for people.
const ProjectNameRule = "a lower-case letter, then up to 62 lower-case letters, digits and hyphens"

// CheckProjectName refuses, as *InputError, what cannot name a project.
func CheckProjectName(name string) error {
	refuse := func(reason string) error {
		return &InputError{What: "project name", Value: name, Reason: reason}
	}
	switch {
	case !projectName.MatchString(name):
		return refuse("a name is " + ProjectNameRule)
	case strings.HasSuffix(name, "-"):
		return refuse("it ends in a hyphen")
	case module.CheckFilePath(name) != nil:
		return refuse("it is the name of a device on Windows")
	}
	return nil
}

// CheckModulePath refuses, as *InputError, what cannot be the module path of a project.
func CheckModulePath(modulePath string) error {
	err := module.CheckPath(modulePath)
	if err == nil {
		return nil
	}
	in := &InputError{What: "module path", Value: modulePath, Reason: reasonOf(err)}
	if first, _, _ := strings.Cut(modulePath, "/"); !strings.Contains(first, ".") {
		in.Hint = "start it with a domain, such as example.com/" + path1(modulePath) + ": names without a dot belong to the standard library"
	}
	return in
}

// path1 is the last element, for a hint; it is shown only when it is harmless.
func path1(modulePath string) string {
	last := modulePath[strings.LastIndex(modulePath, "/")+1:]
	if projectName.MatchString(last) {
		return last
	}
	return "my-plugin"
}

// reasonOf drops the path from an error of package module: the caller quotes it.
func reasonOf(err error) string {
	if invalid, ok := err.(*module.InvalidPathError); ok { //nolint:errorlint // package module never wraps it
		return invalid.Err.Error()
	}
	return err.Error()
}
