// Package early keeps what a plugin prints before it serves from breaking the handshake. Import it, in the plugin's main
// package, for its effect alone:
//
//	import _ "github.com/plugingen/plugingen/runtime/plugin/early"
//
// A go-plugin host takes the first line on a plugin's standard output for the handshake, so a greeting printed by main or by
// some package's init keeps the plugin from starting. With this package such text goes to standard error, where every host
// looks, until package plugin serves. It has no effect in a process that no host started. Only packages that are initialised
// before it (Go does that in the order of import paths, dependencies first) can still be in the way.
//
// It is a package of its own because it is not for every program that links package plugin: one that has other ways to serve,
// such as go-plugin's own, needs its standard output.
package early

import "github.com/plugingen/plugingen/runtime/internal/stdout"

// Nothing later than the initialisation of packages is early enough.
//
//nolint:gochecknoinits // it is what the package is for
func init() { stdout.MoveEarly() }
