//go:build !unix && !windows

package transport

func portTakenErrors() []error { return nil }
