package plugin

// Error says why a plugin could not start or serve. It wraps the cause: an error of package handshake, transport or net.
type Error struct {
	Op   string // what the plugin was doing, such as "listen on unix"
	Hint string // what to do about it, for people; may be empty; not part of Error's text
	Err  error
}

// Error is Op and Err.
func (e *Error) Error() string { return e.Op + ": " + e.Err.Error() }

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }
