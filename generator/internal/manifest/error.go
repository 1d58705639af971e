package manifest

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// Error is something wrong in a file.
type Error struct {
	File         string
	Line, Column int // 0 when the whole file is meant
	Why          string
}

// Error starts with the place, in the form that editors jump to. What the file says cannot move a terminal's cursor.
func (e *Error) Error() string {
	text := e.File + ": " + e.Why
	if e.Line > 0 {
		text = fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Why)
	}
	return strings.Map(func(r rune) rune {
		if r == '\n' || unicode.IsPrint(r) {
			return r
		}
		return -1
	}, text)
}

// Errors are the *Error in a joined error, in order.
func Errors(err error) []*Error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []*Error
		for _, e := range joined.Unwrap() {
			all = append(all, Errors(e)...)
		}
		return all
	}
	var f *Error
	if errors.As(err, &f) {
		return []*Error{f}
	}
	return nil
}
