// Package templates holds the built-in template set: data only. README.md tells template authors how sets work.
package templates

import "embed"

// Set is the built-in set: its manifest, a folder for each kind, and the partials of all.
//
//go:embed template.yaml all:partials all:contract all:plugin all:host
var Set embed.FS

// Schema is the JSON schema of template.yaml.
//
//go:embed schema.json
var Schema string

// Start is what a new set starts from.
//
//go:embed all:start
var Start embed.FS
