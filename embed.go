// Package plugingen carries the files of this module that the generator hands on.
//
// A generated project pins the versions of go.mod and go.sum, and can hold a copy of runtime.
package plugingen

import "embed"

// Source holds go.mod, go.sum, LICENSE and the runtime's source, test files included.
//
//go:embed go.mod go.sum LICENSE runtime
var Source embed.FS
