package schema

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/plugingen/plugingen/generator/model"
)

// enum is the carrier of an integer type with constants.
func (l *layout) enum(t *model.Type) model.Carrier {
	if e, ok := l.enums[t.ID()]; ok {
		return model.Carrier{Enum: e}
	}
	e := &model.Enum{Type: t, Doc: "carries " + t.ID() + "."}
	l.enums[t.ID()] = e
	l.wire.Enums = append(l.wire.Enums, e)
	l.wanted = append(l.wanted, &pending{name: &e.Name, doc: e.Doc, word: typeWord(t, l.contract.Package.Path), typed: true, enum: true})
	return model.Carrier{Enum: e}
}

// settleValues names the values of enums. Their numbers are Go's, so they are never kept from an earlier run; what
// changed is told.
func (l *layout) settleValues() {
	slices.SortFunc(l.wire.Enums, func(a, b *model.Enum) int { return cmp.Compare(a.Name, b.Name) })
	taken := map[string]bool{} // value names live beside the names of messages and enums
	for _, p := range l.wanted {
		taken[*p.name] = true
	}
	for _, e := range l.wire.Enums {
		e.Values = enumValues(e, taken)
		if old := l.old.enums[e.Name]; old != nil {
			l.compareValues(e, old)
		}
	}
}

func enumValues(e *model.Enum, taken map[string]bool) []model.EnumValue {
	prefix := strings.ToUpper(snake(e.Name)) + "_"
	squashed := map[string]bool{} // proto compares names without prefix and underscores
	name := func(word string) string {
		for i := 1; ; i++ {
			try := word
			if i > 1 {
				try = fmt.Sprintf("%s_%d", word, i)
			}
			if !taken[prefix+try] && !squashed[squash(try)] {
				taken[prefix+try], squashed[squash(try)] = true, true
				return prefix + try
			}
		}
	}
	constants := slices.Clone(e.Type.Constants)
	slices.SortStableFunc(constants, func(a, b model.Constant) int {
		return cmp.Or(cmp.Compare(zeroFirst(a), zeroFirst(b)), cmp.Compare(a.Value, b.Value), cmp.Compare(a.Name, b.Name))
	})
	var values []model.EnumValue
	if constants[0].Value != 0 {
		values = append(values, model.EnumValue{Name: name("UNSPECIFIED")})
	}
	for _, c := range constants {
		values = append(values, model.EnumValue{Name: name(valueWord(c.Name, e.Type.Name)), Number: int(c.Value)})
	}
	return values
}

func zeroFirst(c model.Constant) int {
	if c.Value == 0 {
		return 0
	}
	return 1
}

// valueWord is a constant's name without its type's, in front or behind: ColorRed and RedColor are RED.
func valueWord(constant, typeName string) string {
	word := strings.TrimPrefix(constant, typeName)
	if word == constant {
		word = strings.TrimSuffix(constant, typeName)
	}
	if strings.Trim(word, "_") == "" {
		word = constant
	}
	return strings.ToUpper(snake(word))
}

// compareValues reserves what is gone, and tells of constants whose number changed: older plugins read another constant.
func (l *layout) compareValues(e *model.Enum, old *oldEnum) {
	numbers, used := map[string]int{}, map[int]bool{}
	for _, v := range e.Values {
		numbers[v.Name], used[v.Number] = v.Number, true
	}
	e.Reserved = append(e.Reserved, old.reserved...)
	e.ReservedNames = append(e.ReservedNames, old.names...)
	for _, name := range slices.Sorted(maps.Keys(old.values)) {
		now, kept := numbers[name]
		was := old.values[name]
		if kept && now == was {
			continue
		}
		if !kept {
			e.ReservedNames = append(e.ReservedNames, name)
			e.Reserved = append(e.Reserved, model.Range{First: was, Last: was})
			continue
		}
		l.notes = append(l.notes, model.Diagnostic{
			Code: codeMoved, File: path.Join(l.wire.Dir, ProtoName(l.contract)), Where: e.Name,
			Why:  fmt.Sprintf("value %s was %d and is %d now: plugins and hosts built before take it for another one", name, was, now),
			Hint: "give the constants the numbers that they had; add new ones at the end",
		})
	}
	e.Reserved = slices.DeleteFunc(e.Reserved, func(r model.Range) bool { return r.First == r.Last && used[r.First] })
	e.ReservedNames = slices.DeleteFunc(e.ReservedNames, func(name string) bool { _, again := numbers[name]; return again })
	slices.Sort(e.ReservedNames)
	e.ReservedNames = slices.Compact(e.ReservedNames)
	slices.SortFunc(e.Reserved, func(a, b model.Range) int { return cmp.Or(a.First-b.First, a.Last-b.Last) })
	e.Reserved = slices.Compact(e.Reserved)
}

// isSameShape says whether values of the field are encoded as they were. An enum is a number that has got names.
func (l *layout) isSameShape(was string, f *model.Field) bool {
	now := shape(f)
	if was == now {
		return true
	}
	prefix, wasValue := cutShape(was)
	nowPrefix, nowValue := cutShape(now)
	return prefix == nowPrefix && (f.Value.Enum != nil && l.isNumber(wasValue) || l.old.enums[wasValue] != nil && l.isNumber(nowValue))
}

func (l *layout) isNumber(value string) bool {
	switch value {
	case "int32", "int64", "uint32", "uint64":
		return true
	}
	return l.old.enums[value] != nil
}

// cutShape parts a shape into what is before its value type, and that.
func cutShape(s string) (prefix, value string) {
	i := strings.LastIndexByte(s, ' ')
	return s[:i+1], strings.TrimSuffix(s[i+1:], ">")
}

func printEnum(b *strings.Builder, e *model.Enum) {
	b.WriteByte('\n')
	comment(b, "", e.Name+" "+e.Doc)
	fmt.Fprintf(b, "enum %s {\n", e.Name)
	numbers := map[int]bool{}
	for _, v := range e.Values {
		numbers[v.Number] = true
	}
	if len(numbers) < len(e.Values) {
		b.WriteString("  option allow_alias = true;\n")
	}
	if len(e.Reserved) > 0 {
		fmt.Fprintf(b, "  reserved %s;\n", ranges(e.Reserved))
	}
	if len(e.ReservedNames) > 0 {
		fmt.Fprintf(b, "  reserved %s;\n", strings.Join(e.ReservedNames, ", "))
	}
	for _, v := range e.Values {
		fmt.Fprintf(b, "  %s = %d;\n", v.Name, v.Number)
	}
	b.WriteString("}\n")
}
