package transport

import "golang.org/x/sys/windows"

func portTakenErrors() []error { return []error{windows.WSAEADDRINUSE, windows.WSAEACCES} }
