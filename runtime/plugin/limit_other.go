//go:build !unix

package plugin

func connLimit() int { return mostConns }
