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

// mostKept is how many settings are remembered for a place: go generate has others than a shell, and both come and go.
const mostKept = 4

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
	kept := slices.DeleteFunc(load(key), func(old record) bool { return old.Settings == text })
	kept = append([]record{r}, kept...)
	data, err := json.Marshal(kept[:min(len(kept), mostKept)])
	if err != nil {
		return
	}
	_ = store(name, append([]byte(sum(data, nil)+"\n"), data...)) // see above
}

// Same says whether a run for key, asked for the same, would see what the kept one saw; then note is that one's. An empty
// asked is the same as what any run was asked for. Whatever is in doubt is not the same.
func Same(key, asked string) (note []byte, ok bool) {
	now, ok := settings()
	kept := load(key)
	i := slices.IndexFunc(kept, func(r record) bool { return r.Settings == now })
	if !ok || i < 0 || asked != "" && asked != kept[i].Asked {
		return nil, false
	}
	for _, l := range kept[i].Looks {
		if see(look{kind(l.Kind), l.Name}) != l.Saw {
			return nil, false
		}
	}
	return kept[i].Note, true
}

// load reads what is kept for a key: nothing where that is damaged.
func load(key string) []record {
	name, err := place(key)
	if err != nil {
		return nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil
	}
	hash, rest, found := bytes.Cut(data, []byte("\n"))
	if !found || string(hash) != sum(rest, nil) {
		return nil
	}
	var kept []record
	if json.Unmarshal(rest, &kept) != nil {
		return nil
	}
	return slices.DeleteFunc(kept, func(r record) bool { return !r.hasOutput() })
}

// hasOutput is false for what no run can have left.
func (r record) hasOutput() bool {
	return slices.ContainsFunc(r.Looks, func(l seenLook) bool { return kind(l.Kind) == output })
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
