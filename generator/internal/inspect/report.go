package inspect

import (
	"cmp"
	"go/scanner"
	"go/token"
	"slices"

	"github.com/plugingen/plugingen/generator/model"
)

// Codes of faults and warnings: stable, never given to something else.
const (
	codeSyntax        = "PG0001"
	codeNotFound      = "PG0002"
	codeNotInterface  = "PG0003"
	codeMethod        = "PG0004"
	codeUnresolved    = "PG0005"
	codeContext       = "PG0010"
	codeChan          = "PG0013"
	codeInterface     = "PG0014"
	codeMachine       = "PG0015"
	codePointer       = "PG0016"
	codeKey           = "PG0017"
	codeHidden        = "PG0019"
	codeNameless      = "PG0020"
	codeDepth         = "PG0021"
	codeDirective     = "PG0022"
	codeDetached      = "PG0023"
	codePredeclared   = "PG0030"
	codePackageName   = "PG0031"
	codeNoErrorResult = "PG0101"
	codeErrorType     = "PG0104"
	codeFilled        = "PG0108"
	codePointers      = "PG0109"
)

type diagnostics model.Diagnostics

// report gathers what is wrong and what should be known.
type report struct {
	loader     *loader
	faults     diagnostics
	warnings   diagnostics
	unresolved bool // a type that matters could not be found
}

func (r *report) fault(pos token.Position, code, where, why, hint string) {
	r.faults = append(r.faults, model.Diagnostic{
		Code: code, File: pos.Filename, Line: pos.Line, Column: pos.Column, Where: where, Why: why, Hint: hint,
	})
}

func (r *report) warn(pos token.Position, code, where, why, hint string) {
	r.warnings = append(r.warnings, model.Diagnostic{
		Code: code, File: pos.Filename, Line: pos.Line, Column: pos.Column, Where: where, Why: why, Hint: hint,
	})
}

func (r *report) syntax(errs scanner.ErrorList) {
	for _, e := range errs {
		pos := e.Pos
		pos.Filename = r.loader.relative(pos.Filename)
		r.fault(pos, codeSyntax, "", e.Msg, "correct the file, then generate again")
	}
}

// sorted orders by position, then text, and drops what is said twice.
func (ds diagnostics) sorted() model.Diagnostics {
	slices.SortStableFunc(ds, func(a, b model.Diagnostic) int {
		return cmp.Or(cmp.Compare(a.File, b.File), a.Line-b.Line, a.Column-b.Column, cmp.Compare(a.Where, b.Where), cmp.Compare(a.Code, b.Code))
	})
	return model.Diagnostics(slices.Compact(ds))
}
