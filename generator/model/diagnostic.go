package model

import (
	"strconv"
	"strings"
)

// Diagnostic is something that the owner of a contract should change or know.
type Diagnostic struct {
	// Code is stable and says what kind of thing it is, such as "PG0012".
	Code string
	// File, Line and Column say where; File is relative to the contract's folder where it lies beneath. Line 0 means the whole file.
	File         string
	Line, Column int
	// Where is the place in the contract, such as "Greeter.Greet: parameter f (type []func()): f[0]".
	Where string
	// Why says what is wrong, Hint what to do.
	Why, Hint string
}

// Diagnostics are faults of a contract; as an error, they are bad input. Sorted by position.
//
//nolint:errname // a list of faults before it is an error
type Diagnostics []Diagnostic

// String is one line: file:line:col: place: why: what to do (code).
func (d Diagnostic) String() string {
	parts := make([]string, 0, 4)
	for _, p := range []string{d.Position(), d.Where, d.Why, d.Hint} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, ": ") + " [" + d.Code + "]"
}

// Position is file:line:col, or as much of it as is known.
func (d Diagnostic) Position() string {
	if d.Line == 0 {
		return d.File
	}
	return d.File + ":" + strconv.Itoa(d.Line) + ":" + strconv.Itoa(d.Column)
}

// Error is all faults, one a line.
func (ds Diagnostics) Error() string {
	lines := make([]string, len(ds))
	for i, d := range ds {
		lines[i] = d.String()
	}
	return strings.Join(lines, "\n")
}

// Err is nil without faults, and the faults as an error otherwise.
func (ds Diagnostics) Err() error {
	if len(ds) == 0 {
		return nil
	}
	return ds
}
