// Package inspect reads the interfaces of a Go package into a model.
//
// It is the only place that loads Go packages, and it takes the cheapest way that is right: the source of the same module
// and a table of well-known standard types; only when a type that matters stays unresolved, the source of the packages that such
// types reach, where the go command says that it is.
package inspect
