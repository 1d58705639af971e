//go:build race

package host_test

// many is fewer under the race detector, where each plugin costs ten times as much.
const many = 50
