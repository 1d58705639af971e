//go:build !linux

package stdout

// IsWaiting would say whether something printed has not been read from Printed; only Linux tells in one way for all.
func (t *Taken) IsWaiting() bool { return false }
