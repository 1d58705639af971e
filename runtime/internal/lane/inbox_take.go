package lane

// await waits for something to be there; false: done came first.
func (in *inbox) await(done <-chan struct{}) bool {
	select {
	case <-in.wake:
		return true
	case <-done:
		in.mu.Lock()
		in.waiting = false
		in.mu.Unlock()
		return false
	}
}

// pop takes the next message if there is one; otherwise the caller is noted as waiting.
func (in *inbox) pop() (m message, ok, ended bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.waiting = in.head == len(in.queue); in.waiting {
		return message{}, false, in.ended
	}
	m = in.queue[in.head]
	in.queue[in.head] = message{}
	if in.head++; in.head == len(in.queue) {
		in.queue, in.head = in.queue[:0], 0
	}
	return m, true, false
}

// idle tells whether there is nothing to take yet.
func (in *inbox) idle() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.head == len(in.queue) && !in.ended
}

// isAwaited tells whether somebody waits, or has not seen yet what came.
func (in *inbox) isAwaited() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.waiting
}

// decodeInto decodes m and gives back what it held.
func (in *inbox) decodeInto(m message, to any) error {
	defer in.done(m)
	if m.from == nil {
		return decodeOwn(m.body, to)
	}
	return decode(m.body, to)
}

// done gives back what m held; nobody may use its body any more.
func (in *inbox) done(m message) {
	in.buffers.put(m.from)
	in.budget.drop(m.claim)
	in.mu.Lock()
	in.unpaid += m.owed
	var now int64
	if !in.ended && in.unpaid >= (in.window+in.grown)/4 {
		now, in.unpaid = in.unpaid+in.grow(), 0
		in.allowed += now
	}
	in.mu.Unlock()
	if now > 0 {
		in.credit(now)
	}
}

// grow widens the window, once, of a stream that is being read, as far as the connection's budget has room to spare; it
// returns by how much. Called with mu.
func (in *inbox) grow() int64 {
	if in.eager || in.growth != nil || in.window >= wideWindow {
		return 0
	}
	n := int64(wideWindow) - in.window
	if in.growth = in.budget.try(n); in.growth == nil {
		return 0
	}
	in.grown = n
	return n
}

// finish says that no message follows those in the queue.
func (in *inbox) finish() {
	in.mu.Lock()
	if !in.ended && in.asking != nil {
		in.asking.Add(-1)
	}
	in.ended = true
	cut, growth := in.part.claim, in.growth
	in.part = partial{}
	in.mu.Unlock()
	in.budget.drop(cut)
	in.budget.drop(growth)
	poke(in.wake)
}

// abandon drops what is in the queue and all that comes.
func (in *inbox) abandon() {
	in.mu.Lock()
	queue := in.queue[in.head:]
	in.queue, in.head = nil, 0
	in.mu.Unlock()
	for _, m := range queue {
		in.buffers.put(m.from)
		in.budget.drop(m.claim)
	}
	in.finish()
}

// cutShort tells whether a message has been begun and not completed.
func (in *inbox) cutShort() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.part.active
}
