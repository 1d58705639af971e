package tree

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strconv"
)

// JournalDir is the folder in which Apply keeps what was there before. It is there while Apply works, after an Apply
// that was killed, and after one that was told to keep it.
const JournalDir = ".plugingen-update"

const (
	journalName = JournalDir + "/journal.json"
	oldDir      = JournalDir + "/old"
	newDir      = JournalDir + "/new"
)

// journal is the file that says how to take an Apply back. Before it is written nothing has changed; once it is gone the
// change is done.
type journal struct {
	Version int            `json:"version"`
	Kept    bool           `json:"kept"` // the Apply went through
	Edits   []journalEdit  `json:"edits"`
	Folders []journalState `json:"folders,omitempty"` // that may have been removed, outermost first
	Made    []string       `json:"made,omitempty"`    // folders that were made, outermost first
}

const journalVersion = 1

type journalEdit struct {
	Path  string        `json:"path"`
	Draft bool          `json:"draft,omitempty"`
	Old   *journalState `json:"old,omitempty"` // its content is the file of its number in old
	New   *journalState `json:"new,omitempty"`
}

// journalState is a file or a folder at one time.
type journalState struct {
	Path string      `json:"path,omitempty"` // of a folder
	Mode fs.FileMode `json:"mode"`
	Hash string      `json:"hash,omitempty"`
}

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func stateOf(c *Content) *journalState {
	if c == nil {
		return nil
	}
	return &journalState{Mode: c.Mode.Perm(), Hash: hashOf(c.Data)}
}

// numbered is the file for the edit with the given number.
func numbered(dir string, i int) string { return path.Join(dir, strconv.Itoa(i)) }

// readJournal returns nil when there is none.
func readJournal(root *os.Root) (*journal, error) {
	data, reason, err := readPlain(root, journalName)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case reason != "":
		return nil, fmt.Errorf("%s: %s", journalName, reason)
	}
	var j journal
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&j); err != nil {
		return nil, fmt.Errorf("%s: %w", journalName, err)
	}
	return &j, j.check()
}

// check lets nothing through that Apply cannot have written: the folder may have come from anywhere.
func (j *journal) check() error {
	if j.Version != journalVersion {
		return fmt.Errorf("%s: version %d is not known: use the plugingen that wrote it", journalName, j.Version)
	}
	names := append([]string{}, j.Made...)
	for _, f := range j.Folders {
		names = append(names, f.Path)
	}
	for _, e := range j.Edits {
		names = append(names, e.Path)
	}
	for _, name := range names {
		if err := CheckName(name); err != nil {
			return fmt.Errorf("%s: %w", journalName, err)
		}
	}
	return nil
}

// write puts the journal in place at once.
func (j *journal) write(root *os.Root) error {
	data, err := json.MarshalIndent(j, "", "\t")
	if err != nil {
		return err
	}
	beside := journalName + ".new"
	if err := root.WriteFile(beside, append(data, '\n'), 0o600); err != nil {
		return err
	}
	return root.Rename(beside, journalName)
}

// State says what an Apply left in a folder.
type State uint8

// What an Apply leaves.
const (
	Clean       State = iota // nothing
	Interrupted              // it was killed half way: Restore takes it back
	Kept                     // it went through, and can still be taken back by Restore, or settled by Discard
)

// StateOf says what an Apply left in dir.
func StateOf(dir string) (State, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Clean, err
	}
	defer func() { _ = root.Close() }() // it only holds a place in the file system
	j, err := readJournal(root)
	switch {
	case err != nil:
		return Interrupted, err
	case j == nil:
		return Clean, nil
	case j.Kept:
		return Kept, nil
	}
	return Interrupted, nil
}

// Discard gives up the way back.
func Discard(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }() // it only holds a place in the file system
	return discard(root)
}

// discard removes the journal first: without it the rest means nothing.
func discard(root *os.Root) error {
	if err := ignoreMissing(root.Remove(journalName)); err != nil {
		return err
	}
	return root.RemoveAll(JournalDir)
}
