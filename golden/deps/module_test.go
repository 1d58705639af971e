package deps

import (
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/plugingen/plugingen"
)

// modulePath is read from go.mod, so that a fork has nothing to change here.
func modulePath() string {
	data, err := plugingen.Source.ReadFile("go.mod")
	if err != nil {
		panic(err) // embedded: cannot be missing
	}
	return modfile.ModulePath(data)
}

// rel is an import path of the module without the module's path; "." for the module's own.
func rel(importPath string) string {
	room, ok := strings.CutPrefix(importPath, modulePath())
	switch {
	case !ok:
		return importPath
	case room == "":
		return "."
	default:
		return strings.TrimPrefix(room, "/")
	}
}
