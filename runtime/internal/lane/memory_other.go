//go:build !linux

package lane

func adviseHuge([]byte) {}

func releaseMemory([]byte) {}
