//go:build !race

package object

// bulk is what crosses in TestGibibyte, in bytes.
const bulk = gibibyte
