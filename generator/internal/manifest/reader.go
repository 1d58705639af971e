package manifest

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	// maxSize bounds a file: people write it by hand.
	maxSize = 1 << 20
	// maxDepth bounds how deep its values are nested.
	maxDepth = 32
)

// reader reads one file and gathers its faults.
type reader struct {
	file   string
	faults []error
}

func (r *reader) fault(n *yaml.Node, format string, args ...any) {
	r.faults = append(r.faults, &Error{File: r.file, Line: n.Line, Column: n.Column, Why: fmt.Sprintf(format, args...)})
}

// err joins the faults in the order of the file.
func (r *reader) err() error {
	slices.SortStableFunc(r.faults, func(a, b error) int {
		x, y := a.(*Error), b.(*Error) //nolint:errorlint // they are this package's own, bare
		return cmp.Or(cmp.Compare(x.Line, y.Line), cmp.Compare(x.Column, y.Column))
	})
	return errors.Join(r.faults...)
}

// lineOf finds the line in what the YAML library says.
var lineOf = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// parse returns the one value of a document, nil when it is empty or faulty.
func (r *reader) parse(data []byte) *yaml.Node {
	if len(data) > maxSize {
		r.faults = append(r.faults, &Error{File: r.file, Why: fmt.Sprintf("it is larger than %d bytes", maxSize)})
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	err := decoder.Decode(&document)
	if err == nil {
		err = decoder.Decode(&second)
		if err == nil {
			r.fault(&second, "a second document starts here; there may be only one")
			return nil
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		r.syntax(err)
		return nil
	}
	if len(document.Content) != 1 {
		return nil
	}
	root := document.Content[0]
	r.plain(root, 0) // what it finds is a fault to the readers of keys, too: aliases are never followed
	return root
}

func (r *reader) syntax(err error) {
	text, line := err.Error(), 1
	if m := lineOf.FindStringSubmatch(text); m != nil {
		text = strings.TrimPrefix(text, m[0])
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
		}
	}
	r.faults = append(r.faults, &Error{File: r.file, Line: line, Column: 1, Why: "it is not YAML: " + text})
}

// plain refuses what makes one value stand for another, or for something of another type.
func (r *reader) plain(n *yaml.Node, depth int) {
	switch {
	case depth > maxDepth:
		r.fault(n, "values are nested deeper than %d", maxDepth)
		return
	case n.Kind == yaml.AliasNode:
		r.fault(n, "aliases (*%s) are not used here: write the value out", n.Value)
		return
	case n.Anchor != "":
		r.fault(n, "anchors (&%s) are not used here", n.Anchor)
	case n.Style&yaml.TaggedStyle != 0:
		r.fault(n, "tags (%s) are not used here", n.Tag)
	}
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			r.key(n, i)
		}
		r.plain(child, depth+1)
	}
}

func (r *reader) key(mapping *yaml.Node, i int) {
	k := mapping.Content[i]
	switch {
	case k.Kind != yaml.ScalarNode:
		return // an alias is reported by plain, everything else by who reads the key
	case k.ShortTag() == "!!merge":
		r.fault(k, "merge keys (<<) are not used here")
		return
	}
	for j := 0; j < i; j += 2 {
		if earlier := mapping.Content[j]; earlier.Kind == yaml.ScalarNode && earlier.Value == k.Value {
			r.fault(k, "the key %q is there already, in line %d", k.Value, earlier.Line)
			return
		}
	}
}

// keyed reads one value of a mapping.
type keyed map[string]func(*yaml.Node)

// mapping calls the reader of each key in the order of the file. Keys without a reader are faults.
func (r *reader) mapping(n *yaml.Node, what string, keys keyed) {
	r.each(n, what, func(k, v *yaml.Node) {
		read, ok := keys[k.Value]
		if !ok {
			r.fault(k, "%s has no key %q; %s", what, k.Value, suggest(k.Value, slices.Sorted(maps.Keys(keys))))
			return
		}
		read(v)
	})
}

// each calls do for every key and value in the order of the file.
func (r *reader) each(n *yaml.Node, what string, do func(k, v *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		r.fault(n, "%s is %s; it has to be a mapping", what, kindOf(n))
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if k.Kind != yaml.ScalarNode || k.ShortTag() != "!!str" {
			r.fault(k, "a key of %s is %s; it has to be a text", what, kindOf(k))
			continue
		}
		do(k, n.Content[i+1])
	}
}

func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.ShortTag() {
	case "!!null":
		return "empty"
	case "!!bool":
		return "true or false"
	case "!!int":
		return "a whole number"
	case "!!float":
		return "a number"
	case "!!timestamp":
		return "a date"
	}
	return "a text"
}

// text reads a text. A number or a date is a fault: whether 1.10 is 1.1 is not for a library to decide.
func (r *reader) text(n *yaml.Node, what string) (string, bool) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" {
		hint := ""
		if n.Kind == yaml.ScalarNode && n.ShortTag() != "!!null" {
			hint = ": put it between quotes"
		}
		r.fault(n, "%s is %s; it has to be a text%s", what, kindOf(n), hint)
		return "", false
	}
	return n.Value, true
}

// line reads a text that is shown to people.
func (r *reader) line(n *yaml.Node, what string) string {
	s, ok := r.text(n, what)
	if ok {
		if err := checkLine(strings.ReplaceAll(s, "\n", " ")); err != nil {
			r.fault(n, "%s %v", what, err)
		}
	}
	return s
}

func (r *reader) boolean(n *yaml.Node, what string) bool {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" {
		r.fault(n, "%s is %s; it has to be true or false", what, kindOf(n))
		return false
	}
	return strings.EqualFold(n.Value, "true")
}

// list reads a list of texts.
func (r *reader) list(n *yaml.Node, what string) []string {
	if n.Kind != yaml.SequenceNode {
		r.fault(n, "%s is %s; it has to be a list", what, kindOf(n))
		return nil
	}
	var list []string
	for _, item := range n.Content {
		if s, ok := r.text(item, "an element of "+what); ok {
			list = append(list, s)
		}
	}
	return list
}

// oneOf reads a word out of a few.
func (r *reader) oneOf(n *yaml.Node, what string, words []string) string {
	s, ok := r.text(n, what)
	if ok && !slices.Contains(words, s) {
		r.fault(n, "%s %q is unknown; %s", what, s, suggest(s, words))
	}
	return s
}

// schema reads the version of the file's own format.
func (r *reader) schema(n *yaml.Node) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" || n.Value != "1" {
		r.fault(n, "this plugingen reads schema 1 alone")
	}
}

// value reads a plain value of any type: a string, a bool, an int, or a list of strings.
func (r *reader) value(n *yaml.Node, what string) (any, bool) {
	switch {
	case n.Kind == yaml.SequenceNode:
		before := len(r.faults)
		list := r.list(n, what)
		return list, len(r.faults) == before
	case n.Kind != yaml.ScalarNode:
	case n.ShortTag() == "!!str":
		return n.Value, true
	case n.ShortTag() == "!!bool":
		return strings.EqualFold(n.Value, "true"), true
	case n.ShortTag() == "!!int":
		if i, err := strconv.Atoi(n.Value); err == nil {
			return i, true
		}
	}
	r.fault(n, "%s is %s; it may be a text, true or false, a whole number, or a list of texts", what, kindOf(n))
	return nil, false
}

// suggest names the word that was probably meant, or all.
func suggest(word string, words []string) string {
	for _, w := range words {
		if near(word, w) {
			return fmt.Sprintf("is it %s?", w)
		}
	}
	return "there are " + strings.Join(words, ", ")
}

// Suggest is what a message about an unknown word goes on with.
func Suggest(word string, words []string) string {
	if len(words) == 0 {
		return "there are none"
	}
	return suggest(word, words)
}

// near says whether two words differ in two letters at most.
func near(a, b string) bool {
	if len(a) > 64 || len(b) > 64 {
		return false
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := last
			if a[i] != b[j] {
				cost++
			}
			last = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)] <= 2 && row[len(b)] < len(b)
}
