package render

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Error is a fault of a template, or of what a template was given.
type Error struct {
	Template string // its path, with what its set is called before it
	Line     int    // in the template; 0 when the fault is not in one line
	Column   int    // 1-based; 0 when unknown
	Err      error
}

// Error starts with the place, in the form that editors jump to.
func (e *Error) Error() string {
	switch {
	case e.Line == 0:
		return harmless(e.Template + ": " + e.Err.Error())
	case e.Column == 0:
		return harmless(fmt.Sprintf("%s:%d: %v", e.Template, e.Line, e.Err))
	}
	return harmless(fmt.Sprintf("%s:%d:%d: %v", e.Template, e.Line, e.Column, e.Err))
}

// harmless is text that cannot move a terminal's cursor: errors repeat what templates say.
func harmless(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = printable(line)
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// placed matches what text/template says: the name, the line, and while it executes the column.
var placed = regexp.MustCompile(`(?s)^template: (.+?):(\d+):(?:(\d+):)? (.*)$`)

// executing is how text/template names what it was at; the place says it already.
var executing = regexp.MustCompile(`^executing "[^"]*" at `)

// locate makes an *Error of one from text/template. text is the template's, to find the column of a syntax error in, which
// text/template does not tell; it may be empty.
func locate(name, text string, err error) *Error {
	m := placed.FindStringSubmatch(err.Error())
	if m == nil {
		return &Error{Template: name, Err: err}
	}
	e := &Error{Template: m[1], Err: &reworded{text: reword(m[4]), err: err}}
	e.Line, _ = strconv.Atoi(m[2])
	e.Column, _ = strconv.Atoi(m[3])
	if m[3] != "" {
		e.Column++ // text/template counts columns from zero
	} else if e.Template == name {
		e.Column = column(text, e.Line, m[4])
	}
	return e
}

var (
	// ourOwn is what guards say; that they are functions is nobody's business.
	ourOwn  = regexp.MustCompile(`^(?s:<.*?>): error calling _(?:guard|step): `)
	unknown = regexp.MustCompile(`^function "(\w+)" not defined$`)
)

func reword(text string) string {
	text = ourOwn.ReplaceAllString(executing.ReplaceAllString(text, ""), "")
	if m := unknown.FindStringSubmatch(text); m != nil {
		if why := Refused(m[1]); why != "" {
			text += ": " + why
		}
	}
	return text
}

// reworded is an error in other words.
type reworded struct {
	text string
	err  error
}

func (e *reworded) Error() string { return e.text }
func (e *reworded) Unwrap() error { return e.err }

var quoted = regexp.MustCompile(`"((?:[^"\\]|\\.)+)"|<([^>]+)>`)

// column is where, in the line, stands what the message quotes; else its first action; 0 without either.
func column(text string, line int, message string) int {
	lines := strings.Split(text, "\n")
	if line < 1 || line > len(lines) {
		return 0
	}
	for _, m := range quoted.FindAllStringSubmatch(message, -1) {
		if i := strings.Index(lines[line-1], m[1]+m[2]); i >= 0 {
			return utf8.RuneCountInString(lines[line-1][:i]) + 1
		}
	}
	return strings.Index(lines[line-1], "{{") + 1
}
