package object

import (
	"context"
	"maps"
	"slices"

	"github.com/plugingen/plugingen/runtime/runtimepb"
)

// release notes that the peer's object id, received so many times, is not needed any more, and has a goroutine tell it.
// It may be called where nothing may wait.
func (s *session) release(id, times uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return
	}
	s.released[id] += times
	if !s.telling {
		s.telling = true
		go s.tell()
	}
}

// tell tells the peer of all that was released, until there is no more.
func (s *session) tell() {
	for {
		s.mu.Lock()
		batch := s.released
		if len(batch) == 0 || s.err != nil {
			s.telling = false
			s.mu.Unlock()
			return
		}
		s.released = map[uint64]uint64{}
		s.mu.Unlock()
		req := &runtimepb.Release{}
		for _, id := range slices.Sorted(maps.Keys(batch)) {
			req.Ids, req.Times = append(req.Ids, id), append(req.Times, batch[id])
		}
		s.notify(releaseMethod, req)
	}
}

// notify makes a call whose failure costs the peer memory at the most, until the session ends: it has ended, or the peer does
// not get round to what it is told, perhaps because it is being debugged.
func (s *session) notify(method string, req any) {
	ctx, cancel := context.WithTimeout(context.Background(), noticeTimeout)
	defer cancel()
	if client, err := s.caller(ctx); err == nil {
		_ = client.Invoke(ctx, method, req, new(runtimepb.Done))
	}
}

// endCall tells the peer about the call that has the number.
func (s *session) endCall(call uint64, lost bool) {
	s.notify(endCallMethod, &runtimepb.EndCall{Call: call, Lost: lost})
}
