//go:build !unix

package host

import "os"

// isOutOfFiles knows no such limit here.
func isOutOfFiles(error) bool { return false }

// raise ends this process: nothing else can have a signal's effect here.
func raise(os.Signal) { os.Exit(1) }
