// Package relay_test compares what runtime/relay makes of a plugin's output with transcripts: bytes in, records out.
//
// A case is cases/NAME.txtar. Its comment says what it shows; lines in it of the form "setting = value" are settings.
// The plugin's output is the file "in", or the file "script" for bytes that no text file holds:
//
//	"a Go string"   is written
//	pause 600ms     lets time pass; only then does it
//	release         lets a handler go on that blocks
//
// The other files are what comes out; -update rewrites them, and deletes those that do not come out any more.
package relay_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/rogpeppe/go-internal/diff"
	"go.uber.org/goleak"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the cases' answers")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestGolden(t *testing.T) {
	paths, err := filepath.Glob("cases/*.txtar")
	if err != nil || len(paths) < 25 {
		t.Fatalf("%d cases, %v; want at least 25", len(paths), err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			golden, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) { compare(t, path, golden) })
		})
	}
}

// compare runs in a bubble: there the clock starts at the beginning of 2000, and moves only when all is quiet.
func compare(t *testing.T, path string, golden *txtar.Archive) {
	questions, answers := split(golden.Files)
	got := play(t, parseSettings(t, string(golden.Comment)), questions)
	if *update {
		whole := &txtar.Archive{Comment: golden.Comment, Files: append(questions, got...)}
		if err := os.WriteFile(path, txtar.Format(whole), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	for _, f := range got {
		if want := content(answers, f.Name); !bytes.Equal(f.Data, want) {
			t.Errorf("%s differs (-update rewrites it)\n%s", f.Name, diff.Diff("want", want, "got", f.Data))
		}
	}
	for _, f := range answers {
		if content(got, f.Name) == nil {
			t.Errorf("%s did not come out (-update deletes it)", f.Name)
		}
	}
}

func split(files []txtar.File) (questions, answers []txtar.File) {
	for _, f := range files {
		if f.Name == "in" || f.Name == "script" {
			questions = append(questions, f)
		} else {
			answers = append(answers, f)
		}
	}
	return questions, answers
}

func content(files []txtar.File, name string) []byte {
	i := slices.IndexFunc(files, func(f txtar.File) bool { return f.Name == name })
	if i < 0 {
		return nil
	}
	return files[i].Data
}
