//go:build !linux

// Package machine asks the system what this process and others do. Where it cannot tell, it says zero.
package machine

import "time"

// Busy is unknown here.
func Busy() time.Duration { return 0 }

// ProcessCPU is unknown here.
func ProcessCPU(int) time.Duration { return 0 }

// OpenFiles is unknown here.
func OpenFiles() int { return 0 }

// ResidentMemory is unknown here.
func ResidentMemory(int) int64 { return 0 }

// FileCalls is unknown.
func FileCalls() int64 { return 0 }

// RoomFor does not know.
func RoomFor(int) error { return nil }
