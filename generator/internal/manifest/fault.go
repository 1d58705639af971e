package manifest

import (
	"errors"
	"fmt"
)

// Fault is something wrong in a file.
type Fault struct {
	File         string
	Line, Column int // 0 when the whole file is meant
	Why          string
}

// Error starts with the place, in the form that editors jump to.
func (f *Fault) Error() string {
	if f.Line == 0 {
		return f.File + ": " + f.Why
	}
	return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.Why)
}

// Faults are the *Fault in a joined error, in order.
func Faults(err error) []*Fault {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []*Fault
		for _, e := range joined.Unwrap() {
			all = append(all, Faults(e)...)
		}
		return all
	}
	var f *Fault
	if errors.As(err, &f) {
		return []*Fault{f}
	}
	return nil
}
