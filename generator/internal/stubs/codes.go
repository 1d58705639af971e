package stubs

// Codes of warnings, see CODES.md.
const (
	CodeUnclear   = "PG0106"
	CodeSignature = "PG0107"
	CodeCalls     = "PG0111"
)
