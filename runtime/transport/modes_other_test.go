//go:build !unix

package transport_test

func testModes() map[string]func() int { return nil }
