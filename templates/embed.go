// Package templates holds the built-in template sets: data only. README.md tells template authors how they work.
package templates

import "embed"

// Sets has one folder for each set, and shared for the partials of all.
//
//go:embed all:shared all:starter all:interface all:plugin all:host
var Sets embed.FS
