package merge

import (
	"bytes"
)

// binaryProbe is how far into a file a zero byte is looked for: git looks as far.
const binaryProbe = 8000

// IsBinary says whether data is not text: it has a zero byte near its start.
func IsBinary(data []byte) bool {
	return bytes.IndexByte(data[:min(len(data), binaryProbe)], 0) >= 0
}

// splitLines cuts text after each newline; the last line may have none.
func splitLines(text []byte) [][]byte {
	lines := make([][]byte, 0, bytes.Count(text, []byte("\n"))+1)
	for line := range bytes.Lines(text) {
		lines = append(lines, line)
	}
	return lines
}

// numbering gives equal lines equal numbers: numbers are cheap to compare.
type numbering map[string]int

func (n numbering) of(lines [][]byte) []int {
	numbers := make([]int, len(lines))
	for i, line := range lines {
		id, found := n[string(line)]
		if !found {
			id = len(n)
			n[string(line)] = id
		}
		numbers[i] = id
	}
	return numbers
}

// ending is how the lines of a text end.
type ending uint8

const (
	noEnding  ending = iota // there is not one whole line
	unix                    // every line in \n
	windows                 // every line in \r\n
	bothKinds               // no rule
)

func endingOf(text []byte) ending {
	all := bytes.Count(text, []byte("\n"))
	switch bytes.Count(text, []byte("\r\n")) {
	case all:
		if all == 0 {
			return noEnding
		}
		return windows
	case 0:
		return unix
	}
	return bothKinds
}

// ToUnix makes every line that ends in \r\n end in \n, if all do; other text it returns as it is.
func ToUnix(text []byte) []byte {
	if endingOf(text) != windows {
		return text
	}
	return bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
}

func toWindows(text []byte) []byte { return bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")) }

// commonEnding is how lines of a merged text end: as the side that departs from the base has it, ours before theirs.
func commonEnding(base, ours, theirs []byte) ending {
	b, o, t := endingOf(base), endingOf(ours), endingOf(theirs)
	switch {
	case o == noEnding:
		return t
	case t == noEnding || o != b:
		return o
	}
	return t
}

// Like returns text with the line endings of example, unless it has endings of Windows itself.
func Like(text, example []byte) []byte { return withEnding(text, endingOf(example)) }
