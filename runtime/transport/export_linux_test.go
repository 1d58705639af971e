package transport

// SharedMemory is what known.memory finds.
func SharedMemory() string { return sharedMemory() }
