package relay

import "bytes"

// isPanic says whether a Go program ends with line: a panic, a fatal error, a signal that it dies of.
func isPanic(line []byte) bool {
	if len(line) == 0 {
		return false
	}
	switch line[0] {
	case 'p':
		return has(line, "panic: ")
	case 'f':
		return has(line, "fatal error: ") || has(line, "fatal: morestack on ")
	case 'r':
		return has(line, "runtime: goroutine stack exceeds ") || has(line, "runtime: out of memory")
	case 'u':
		return has(line, "unexpected fault address ")
	case 'S':
		return has(line, "SIGQUIT: quit") || has(line, "SIGABRT: abort") || has(line, "SIGSEGV: segmentation violation")
	}
	return false
}

// isStack says whether line heads the stack of a goroutine: "goroutine 1 [running]:".
func isStack(line []byte) bool {
	rest, ok := bytes.CutPrefix(line, []byte("goroutine "))
	if !ok {
		return false
	}
	digits := len(rest) - len(bytes.TrimLeft(rest, "0123456789"))
	return digits > 0 && bytes.HasSuffix(rest, []byte("]:")) && bytes.Contains(rest[digits:], []byte(" ["))
}

// startsTrace says whether line begins a record of several lines.
func startsTrace(line []byte) bool { return isPanic(line) || isStack(line) }

// isTrace says whether line goes on with a trace that has begun.
func isTrace(line []byte) bool {
	if len(line) == 0 || line[0] == '\t' || startsTrace(line) || isFrame(line) || isRegister(line) {
		return true
	}
	for _, prefix := range []string{
		"goroutine ", "created by ", "[signal ", "[recovered", "exit status ", "runtime: ", "runtime stack:", "PC=0x", "non-Go function",
	} {
		if has(line, prefix) {
			return true
		}
	}
	return has(line, "...") && bytes.HasSuffix(line, []byte("frames elided..."))
}

// isFrame recognises the call of a stack frame: "main.(*T).Method(0x1, {0x2, 0x3})".
func isFrame(line []byte) bool {
	open := bytes.IndexByte(line, '(')
	if open <= 0 || line[len(line)-1] != ')' {
		return false
	}
	name := line[:open]
	return !bytes.ContainsAny(name, " \t=") && (bytes.IndexByte(name, '.') > 0 || string(name) == "panic")
}

// isRegister recognises the dump of a register: "rip    0x46c6e1".
func isRegister(line []byte) bool {
	name, value, ok := bytes.Cut(line, []byte(" "))
	value = bytes.TrimLeft(value, " ")
	return ok && len(name) <= 8 && len(value) <= 18 && has(value, "0x") && !bytes.ContainsRune(value, ' ')
}

func has(line []byte, prefix string) bool {
	return len(line) >= len(prefix) && string(line[:len(prefix)]) == prefix
}
