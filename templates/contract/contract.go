// Package contract holds the template of a contract's generated half: data only.
package contract

import _ "embed" // for Glue

// Glue is the template of zz_plugingen.go.
//
//go:embed zz_plugingen.go.tmpl
var Glue string
