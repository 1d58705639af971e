package schema

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"

	"github.com/plugingen/plugingen/generator/model"
)

// Bounds of field numbers; protobuf keeps a range for itself.
const (
	maxNumber     = 1<<29 - 1
	firstInternal = 19000
	lastInternal  = 19999
)

// settleNumbers keeps the number of every field whose name and type are as they were, reserves what is gone,
// and numbers new fields above all that ever were.
func (l *layout) settleNumbers() {
	for _, m := range l.wire.Messages {
		old := l.old.messages[m.Name]
		if old == nil {
			old = &oldMessage{}
		}
		l.number(m, old)
		slices.SortFunc(m.Fields, func(a, b *model.Field) int { return cmp.Compare(a.Number, b.Number) })
	}
}

func (l *layout) number(m *model.Message, old *oldMessage) {
	kept := map[string]bool{}
	for _, f := range m.Fields {
		if was, ok := old.fields[f.Name]; ok && l.isSameShape(was.shape, f) {
			f.Number, kept[f.Name] = was.number, true
		}
	}
	wanted := map[string]bool{}
	for _, f := range m.Fields {
		wanted[f.Name] = true
	}
	if name := l.rename(m, old, wanted); name != "" {
		kept[name] = true
	}
	m.Reserved = append(m.Reserved, old.reserved...)
	for _, name := range slices.Sorted(maps.Keys(old.fields)) {
		if !kept[name] {
			l.retire(m, name, old.fields[name].number, wanted[name])
		}
	}
	m.ReservedNames = slices.DeleteFunc(append(m.ReservedNames, old.names...), func(name string) bool { return wanted[name] })
	tidy(m)
	for _, f := range m.Fields {
		if f.Number == 0 {
			f.Number = l.next(m)
		}
	}
}

func (l *layout) retire(m *model.Message, name string, number int, renewed bool) {
	m.Reserved = append(m.Reserved, model.Range{First: number, Last: number})
	what := fmt.Sprintf("field %s is gone: its number %d stays reserved", name, number)
	if renewed {
		what = fmt.Sprintf("field %s has another type: it gets a new number, %d stays reserved", name, number)
	} else {
		m.ReservedNames = append(m.ReservedNames, name)
	}
	hint := "plugins and hosts built before do not see it any more; was it renamed? then that is a removal and an addition"
	if m.Type == nil {
		hint = "plugins and hosts built before do not see it any more; to rename parameters, rename one at a time and generate in between"
	}
	l.notes = append(l.notes, model.Diagnostic{
		Code: codeRemoved, File: path.Join(l.wire.Dir, ProtoName(l.contract)), Where: m.Name, Why: what, Hint: hint,
	})
}

// tidy sorts what is reserved and joins ranges that touch.
func tidy(m *model.Message) {
	slices.Sort(m.ReservedNames)
	m.ReservedNames = slices.Compact(m.ReservedNames)
	slices.SortFunc(m.Reserved, func(a, b model.Range) int { return cmp.Or(a.First-b.First, a.Last-b.Last) })
	var joined []model.Range
	for _, r := range m.Reserved {
		if n := len(joined); n > 0 && r.First <= joined[n-1].Last+1 {
			joined[n-1].Last = max(joined[n-1].Last, r.Last)
			continue
		}
		joined = append(joined, r)
	}
	m.Reserved = joined
}

// next is a number that no field of the message has or ever had: the one above them all, while there is one.
func (l *layout) next(m *model.Message) int {
	top := 0
	for _, f := range m.Fields {
		top = max(top, f.Number)
	}
	for _, r := range m.Reserved {
		if r.Last < maxNumber {
			top = max(top, r.Last)
		}
	}
	if n := free(m, top+1); n < maxNumber { // which marks nil pointers in lists
		return n
	}
	if n := free(m, 1); n < maxNumber {
		return n
	}
	l.faults = append(l.faults, model.Diagnostic{
		Code: codeNumbers, File: path.Join(l.wire.Dir, ProtoName(l.contract)), Where: m.Name,
		Why: "no field number is left", Hint: "reserve fewer numbers",
	})
	return maxNumber
}

// free is the first number from n on that nothing occupies.
func free(m *model.Message, n int) int {
	for {
		r, taken := occupied(m, n)
		if !taken {
			return n
		}
		n = r.Last + 1
	}
}

func occupied(m *model.Message, n int) (model.Range, bool) {
	if n >= firstInternal && n <= lastInternal {
		return model.Range{First: firstInternal, Last: lastInternal}, true
	}
	for _, r := range m.Reserved {
		if r.First <= n && n <= r.Last {
			return r, true
		}
	}
	for _, f := range m.Fields {
		if f.Number == n {
			return model.Range{First: n, Last: n}, true
		}
	}
	return model.Range{}, false
}

// entomb keeps the messages of methods and types that are gone, with all their numbers reserved: should they come back,
// no old number gets a new meaning.
func (l *layout) entomb() {
	for _, name := range slices.Sorted(maps.Keys(l.old.messages)) {
		if l.has(name) {
			continue
		}
		m := &model.Message{Name: name, Doc: removedDoc}
		l.names[squash(name)] = true
		l.number(m, l.old.messages[name])
		l.wire.Messages = append(l.wire.Messages, m)
	}
}

const removedDoc = "is not used any more; it keeps its numbers from being used again."

func (l *layout) has(name string) bool {
	return slices.ContainsFunc(l.wire.Messages, func(m *model.Message) bool { return m.Name == name })
}
