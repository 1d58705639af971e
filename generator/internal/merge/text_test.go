package merge

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var labels = Labels{Ours: "yours", Base: "old", Theirs: "new"}

func TestText(t *testing.T) {
	const conflict = "<<<<<<< yours\nX\n||||||| old\nb\n=======\nY\n>>>>>>> new\n"
	cases := []struct {
		name, base, ours, theirs, want string
		conflicts                      int
	}{
		{"nobody changed", "a\n", "a\n", "a\n", "a\n", 0},
		{"all empty", "", "", "", "", 0},
		{"ours", "a\nb\nc\n", "a\nX\nc\n", "a\nb\nc\n", "a\nX\nc\n", 0},
		{"theirs", "a\nb\nc\n", "a\nb\nc\n", "a\nY\nc\n", "a\nY\nc\n", 0},
		{"both the same", "a\nb\nc\n", "a\nX\nc\n", "a\nX\nc\n", "a\nX\nc\n", 0},
		{"far apart", "a\nb\nc\nd\ne\n", "X\nb\nc\nd\ne\n", "a\nb\nc\nd\nY\n", "X\nb\nc\nd\nY\n", 0},
		{"one line", "a\nb\nc\n", "a\nX\nc\n", "a\nY\nc\n", "a\n" + conflict + "c\n", 1},
		{"neighbours", "a\nb\n", "X\nb\n", "a\nY\n", "<<<<<<< yours\nX\nb\n||||||| old\na\nb\n=======\na\nY\n>>>>>>> new\n", 1},
		{"deleted and changed", "a\nb\nc\n", "a\nc\n", "a\nY\nc\n", "a\n<<<<<<< yours\n||||||| old\nb\n=======\nY\n>>>>>>> new\nc\n", 1},
		{"deleted by both", "a\nb\nc\n", "a\nc\n", "a\nc\n", "a\nc\n", 0},
		{"inserted at one place", "a\nb\n", "a\nX\nb\n", "a\nY\nb\n", "a\n<<<<<<< yours\nX\n||||||| old\n=======\nY\n>>>>>>> new\nb\n", 1},
		{"appended and prepended", "a\n", "a\nX\n", "Y\na\n", "Y\na\nX\n", 0},
		{"emptied and changed", "a\n", "", "b\n", "<<<<<<< yours\n||||||| old\na\n=======\nb\n>>>>>>> new\n", 1},
		{"our final newline is gone", "a\nb\nc\n", "a\nb\nc", "Y\nb\nc\n", "Y\nb\nc", 0},
		{"no final newline in a conflict", "a\nb", "a\nX", "a\nY", "a\n" + conflict, 1},
		{"no final newline, other end changed", "a\nb\nc", "a\nb\nX", "Y\nb\nc", "Y\nb\nX", 0},
		{"ours as on Windows", "a\nb\nc\n", "a\r\nb\r\nX\r\n", "Y\nb\nc\n", "Y\r\nb\r\nX\r\n", 0},
		{"ours as on Windows, unchanged", "a\nb\n", "a\r\nb\r\n", "a\nY\n", "a\r\nY\r\n", 0},
		{"ours as on Windows, theirs unchanged", "a\nb\n", "a\r\nX\r\n", "a\nb\n", "a\r\nX\r\n", 0},
		{"ours as on Windows, a conflict", "b\n", "X\r\n", "Y\n", strings.ReplaceAll(conflict, "\n", "\r\n"), 1},
		{"theirs becomes as on Windows", "a\nb\nc\n", "a\nb\nX\n", "a\r\nb\r\nc\r\n", "a\r\nb\r\nX\r\n", 0},
		{"both kinds of endings", "a\r\nb\n", "a\r\nX\n", "a\r\nb\n", "a\r\nX\n", 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := Text([]byte(c.base), []byte(c.ours), []byte(c.theirs), labels)
			if string(got.Data) != c.want || got.Conflicts != c.conflicts {
				t.Errorf("got %d conflicts:\n%q\nwant %d:\n%q", got.Conflicts, got.Data, c.conflicts, c.want)
			}
		})
	}
}

func TestAdded(t *testing.T) {
	got := Added([]byte("a\nX\nb\n"), []byte("a\nY\nb\nc\n"), labels)
	want := "a\n<<<<<<< yours\nX\n||||||| old\n=======\nY\n>>>>>>> new\nb\n<<<<<<< yours\n||||||| old\n=======\nc\n>>>>>>> new\n"
	if string(got.Data) != want || got.Conflicts != 2 {
		t.Errorf("got %d conflicts:\n%s\nwant 2:\n%s", got.Conflicts, got.Data, want)
	}
	if same := Added([]byte("a\r\n"), []byte("a\n"), labels); string(same.Data) != "a\r\n" || same.Conflicts != 0 {
		t.Errorf("the same text with other endings: %q, %d conflicts", same.Data, same.Conflicts)
	}
}

func TestUnresolved(t *testing.T) {
	whole := string(Text([]byte("a\nb\n"), []byte("a\nX\n"), []byte("a\nY\n"), labels).Data)
	cases := map[string]int{
		"":                                      0,
		whole:                                   2,
		strings.ReplaceAll(whole, "\n", "\r\n"): 2,
		"<<<<<<< HEAD\nx\n=======\ny\n>>>>>>> topic\n":                       1,
		"<<<<<<<\nx\n=======\ny\n>>>>>>>\n":                                  1,
		"Title\n=======\n":                                                   0,
		"<<<<<<< yours\nx\n":                                                 0,
		">>>>>>> new\n<<<<<<< yours\n":                                       0,
		"<<<<<<<< eight\n=======\n>>>>>>> new\n":                             0,
		"x := 1 <<<<<<< yours\n=======\n>>>>>>> new\n":                       0,
		"<<<<<<< a\n<<<<<<< b\n=======\n>>>>>>> c\n":                         2,
		strings.Repeat("x\n", 100) + "<<<<<<< a\n=======\n>>>>>>> c\nmore\n": 101,
	}
	for text, want := range cases {
		if got := Unresolved([]byte(text)); got != want {
			t.Errorf("Unresolved(%.40q) = %d, want %d", text, got, want)
		}
	}
}

// random makes texts out of few words, so that lines repeat, or out of words that are never used twice.
type random struct {
	*rand.Rand
	words int // how many there are; 0 means a new one for each line
	used  int
}

func (r *random) line() string {
	if r.words > 0 {
		return fmt.Sprintf("word%d\n", r.IntN(r.words))
	}
	r.used++
	return fmt.Sprintf("line%d\n", r.used)
}

func (r *random) text() []string {
	lines := make([]string, r.IntN(30))
	for i := range lines {
		lines[i] = r.line()
	}
	return lines
}

func (r *random) edit(lines []string) []string {
	lines = slices.Clone(lines)
	for range r.IntN(5) {
		at := r.IntN(len(lines) + 1)
		end := min(len(lines), at+r.IntN(3))
		var put []string
		for range r.IntN(3) {
			put = append(put, r.line())
		}
		lines = slices.Replace(lines, at, end, put...)
	}
	return lines
}

// triple is a base and what two made of it; now and then a final newline is missing.
func (r *random) triple() (base, ours, theirs []byte) {
	b := r.text()
	texts := [3][]byte{}
	for i, lines := range [][]string{b, r.edit(b), r.edit(b)} {
		texts[i] = []byte(strings.Join(lines, ""))
		if r.IntN(10) == 0 {
			texts[i] = bytes.TrimSuffix(texts[i], []byte("\n"))
		}
	}
	return texts[0], texts[1], texts[2]
}

// TestLaws holds what is true of every merge.
func TestLaws(t *testing.T) {
	for seed := range uint64(20000) {
		r := &random{Rand: rand.New(rand.NewPCG(seed, 1)), words: int(seed%4) * 2}
		base, ours, theirs := r.triple()
		fail := func(law string, got Result) {
			t.Errorf("seed %d: %s\nbase %q\nours %q\ntheirs %q\ngot %d conflicts %q", seed, law, base, ours, theirs, got.Conflicts, got.Data)
		}
		if got := Text(base, ours, base, labels); got.Conflicts > 0 || !bytes.Equal(got.Data, ours) {
			fail("what theirs left alone is ours", got)
		}
		if got := Text(base, base, theirs, labels); got.Conflicts > 0 || !bytes.Equal(got.Data, theirs) {
			fail("what ours left alone is theirs", got)
		}
		got := Text(base, ours, theirs, labels)
		back := Text(base, theirs, ours, labels)
		if got.Conflicts != back.Conflicts || got.Conflicts == 0 && !bytes.Equal(got.Data, back.Data) {
			fail("the sides are alike", got)
		}
		if lost := lostLines(base, ours, got.Data); lost != "" {
			fail("no line of ours is lost: "+lost, got)
		}
		if lost := lostLines(base, theirs, got.Data); lost != "" {
			fail("no line of theirs is lost: "+lost, got)
		}
		if (Unresolved(got.Data) > 0) != (got.Conflicts > 0) {
			fail("conflicts have markers", got)
		}
		if t.Failed() {
			return
		}
	}
}

// lostLines names a line that a side has more often than the base, and the result less often than the side.
func lostLines(base, side, result []byte) string {
	count := func(text []byte) map[string]int {
		n := map[string]int{}
		for line := range bytes.Lines(text) {
			n[strings.TrimSuffix(string(line), "\n")]++
		}
		return n
	}
	b, s, r := count(base), count(side), count(result)
	for line, n := range s {
		if b[line] == 0 && r[line] < n {
			return line
		}
	}
	return ""
}

// TestDiffIsAWay holds that the changes make the new text of the old one, and that they are few.
func TestDiffIsAWay(t *testing.T) {
	for seed := range uint64(20000) {
		r := rand.New(rand.NewPCG(seed, 2))
		size, words := 1+r.IntN(40), 1+r.IntN(12)
		numbers := func() []int {
			list := make([]int, r.IntN(size))
			for i := range list {
				list[i] = r.IntN(words)
			}
			return list
		}
		a, b := numbers(), numbers()
		var made []int
		at, cost, touch := 0, 0, -1
		for _, c := range diff(a, b) {
			if c.oldFrom <= touch {
				t.Fatalf("seed %d: changes touch: %v", seed, diff(a, b))
			}
			made = append(append(made, a[at:c.oldFrom]...), b[c.newFrom:c.newTo]...)
			at, touch = c.oldTo, c.oldTo
			cost += c.oldTo - c.oldFrom + c.newTo - c.newFrom
		}
		if made = append(made, a[at:]...); !slices.Equal(made, b) {
			t.Fatalf("seed %d: the changes from %v to %v make %v", seed, a, b, made)
		}
		if want := shortest(a, b); cost != want {
			t.Fatalf("seed %d: from %v to %v in %d lines, want %d", seed, a, b, cost, want)
		}
	}
}

// shortest is the textbook's way to count the lines that must go or come.
func shortest(a, b []int) int {
	row := make([]int, len(b)+1)
	for i := range a {
		diagonal := 0
		for j := range b {
			above := row[j+1]
			if a[i] == b[j] {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(row[j+1], row[j])
			}
			diagonal = above
		}
	}
	return len(a) + len(b) - 2*row[len(b)]
}

// TestFarApart: texts that have nothing in common but words cost bounded time, and the changes still are a way.
func TestFarApart(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	a, b := make([]int, 30000), make([]int, 30000)
	for i := range a {
		a[i], b[i] = r.IntN(1000), r.IntN(1000)
	}
	var made []int
	at := 0
	for _, c := range diff(a, b) {
		made = append(append(made, a[at:c.oldFrom]...), b[c.newFrom:c.newTo]...)
		at = c.oldTo
	}
	if made = append(made, a[at:]...); !slices.Equal(made, b) {
		t.Fatal("the changes do not make b of a")
	}
}

// TestAgreesWithGit merges the same texts with git merge-file. Where lines do not repeat, there is one right answer,
// conflicts included; where they do, two programs may match them in different ways, and so only most answers are the same.
func TestAgreesWithGit(t *testing.T) {
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("there is no git to compare with")
	}
	dir := t.TempDir()
	const cases = 400
	for name, words := range map[string]int{"no line twice": 0, "lines repeat": 12} {
		differ := 0
		for seed := range uint64(cases) {
			r := &random{Rand: rand.New(rand.NewPCG(seed, 4)), words: words}
			base, ours, theirs := r.triple()
			want, conflicts := gitMerge(t, git, dir, base, ours, theirs)
			got := Text(base, ours, theirs, labels)
			if bytes.Equal(got.Data, want) && got.Conflicts == conflicts {
				continue
			}
			if differ++; words == 0 {
				t.Fatalf("%s, seed %d:\nbase %q\nours %q\ntheirs %q\ngot  %d %q\nwant %d %q", name, seed, base, ours, theirs, got.Conflicts, got.Data, conflicts, want)
			}
		}
		t.Logf("%s: %d of %d differ from git", name, differ, cases)
		if differ > cases/10 {
			t.Errorf("%s: %d of %d merges differ from git's", name, differ, cases)
		}
	}
}

func gitMerge(t *testing.T, git, dir string, base, ours, theirs []byte) (merged []byte, conflicts int) {
	t.Helper()
	var names []string
	for name, data := range map[string][]byte{"1-ours": ours, "2-base": base, "3-theirs": theirs} {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	args := append([]string{"merge-file", "-p", "--diff3", "-L", labels.Ours, "-L", labels.Base, "-L", labels.Theirs}, names...)
	out, err := exec.CommandContext(t.Context(), git, args...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() < 128 {
		return out, exit.ExitCode()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out, 0
}

func FuzzText(f *testing.F) {
	f.Add("a\nb\n", "a\nX\n", "Y\nb\n")
	f.Add("a", "a\r\n", "")
	f.Add("x\n\n}\n\n}\n", "x\n\n}\n", "y\n\n}\n\n}\n\n}\n")
	f.Fuzz(func(t *testing.T, base, ours, theirs string) {
		got := Text([]byte(base), []byte(ours), []byte(theirs), labels)
		if again := Text([]byte(base), got.Data, []byte(theirs), labels); got.Conflicts == 0 && base == theirs && !bytes.Equal(again.Data, got.Data) {
			t.Errorf("a second merge makes %q of %q", again.Data, got.Data)
		}
		Added([]byte(ours), []byte(theirs), labels)
		Similar([]byte(base), []byte(theirs))
	})
}
