//go:build !linux

package lane

func adviseHuge([]byte) {}
