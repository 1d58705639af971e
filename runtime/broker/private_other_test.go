//go:build !linux

package broker_test

import "testing"

func listenAsNobody(t *testing.T) string {
	t.Helper()
	t.Skip("only tried on Linux")
	return ""
}
