//go:build !unix

package host

// isOutOfFiles knows no such limit here.
func isOutOfFiles(error) bool { return false }
