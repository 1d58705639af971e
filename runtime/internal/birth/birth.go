// Package birth tells a process from a later one with the same number.
package birth

import "strconv"

// Of says when a running process began, in the system's own words: decimal digits that are the same whoever asks. It is empty when the
// process does not run, or the system does not tell.
func Of(pid int) string {
	if start := of(pid); start != 0 {
		return strconv.FormatUint(start, 10)
	}
	return ""
}
