//go:build !race

package host_test

// many is how many plugins are opened at once.
const many = 200
