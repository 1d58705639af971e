//go:build unix

package host_test

// helpers are programs that tests need besides plugins.
func helpers() map[string]func() int {
	return map[string]func() int{}
}
