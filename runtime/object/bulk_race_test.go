//go:build race

package object

// bulk is what crosses in TestGibibyte, in bytes. The race detector makes the whole take minutes on a busy machine.
const bulk = gibibyte / 8
