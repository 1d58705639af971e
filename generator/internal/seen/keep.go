package seen

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
)

// record is a kept trace.
type record struct {
	Settings string
	Asked    string // what the run was asked for
	Looks    []seenLook
	Note     []byte // what the caller wants back
}

type seenLook struct {
	Kind      byte
	Name, Saw string
}

// Keep stores the trace of a run in the user's cache, with a note. Key names the place that the run was about, asked what it was asked for.
// A trace that is broken, or that cannot be stored, is not kept: that costs the next run time, and nothing else.
func (t *Trace) Keep(key, asked string, note []byte) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	text, ok := settings()
	name, err := place(key)
	if t.broken || !ok || err != nil {
		return
	}
	r := record{Settings: text, Asked: asked, Note: note}
	for l, saw := range t.looks {
		r.Looks = append(r.Looks, seenLook{byte(l.kind), l.name, saw})
	}
	data, err := json.Marshal(r)
	if err != nil {
		return
	}
	_ = store(name, append([]byte(sum(data, nil)+"\n"), data...)) // see above
}

// Same says whether a run for key, asked for the same, would see what the kept one saw; then note is that one's. An empty
// asked is the same as what any run was asked for. Whatever is in doubt is not the same.
func Same(key, asked string) (note []byte, ok bool) {
	r, ok := load(key)
	if !ok || asked != "" && asked != r.Asked {
		return nil, false
	}
	if now, ok := settings(); !ok || now != r.Settings {
		return nil, false
	}
	for _, l := range r.Looks {
		if see(look{kind(l.Kind), l.Name}) != l.Saw {
			return nil, false
		}
	}
	return r.Note, true
}

func load(key string) (record, bool) {
	var r record
	name, err := place(key)
	if err != nil {
		return r, false
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return r, false
	}
	hash, rest, found := bytes.Cut(data, []byte("\n"))
	if !found || string(hash) != sum(rest, nil) {
		return r, false
	}
	err = json.Unmarshal(rest, &r)
	return r, err == nil && slices.ContainsFunc(r.Looks, func(l seenLook) bool { return kind(l.Kind) == output })
}

// place is the file of a key.
func place(key string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(cache, "plugingen", "generate", sum([]byte(key), nil)[:32]), nil
}

// store replaces the file as a whole: another run may read it now.
func store(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(name), "new-")
	if err != nil {
		return err
	}
	_, err = temp.Write(data)
	if err = errors.Join(err, temp.Close()); err == nil {
		err = os.Rename(temp.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	return nil
}
