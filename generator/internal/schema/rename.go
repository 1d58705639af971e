package schema

import (
	"fmt"
	"path"

	"github.com/plugingen/plugingen/generator/model"
)

// rename finds a parameter, or a result, that only its name was changed of, and lets it keep its number: when exactly one name
// of a method's parameters is gone, exactly one is new, and both are of one type. Go cannot tell that from another
// parameter in the same place, either. Fields of structs are not guessed at: Go goes by their names.
// It returns the old name; empty when nothing was renamed.
func (l *layout) rename(m *model.Message, old *oldMessage, wanted map[string]bool) string {
	gone, added := onlyGone(old, wanted), onlyAdded(m, old)
	if m.Type != nil || added == nil || gone == "" || gone == "error" || !l.isSameShape(old.fields[gone].shape, added) {
		return ""
	}
	added.Number = old.fields[gone].number
	l.notes = append(l.notes, model.Diagnostic{
		Code: codeRenamed, File: path.Join(l.wire.Dir, ProtoName(l.contract)), Where: m.Name,
		Why:  fmt.Sprintf("field %s is called %s now: it keeps its number %d", gone, added.Name, added.Number),
		Hint: "if it means something else now, programs built before take one for the other: then add a method under another name",
	})
	return gone
}

// onlyGone is the one field that is not wanted any more; empty when there are none or several.
func onlyGone(old *oldMessage, wanted map[string]bool) string {
	gone := ""
	for name := range old.fields {
		if wanted[name] {
			continue
		}
		if gone != "" {
			return ""
		}
		gone = name
	}
	return gone
}

// onlyAdded is the one field that was not there; nil when there are none or several.
func onlyAdded(m *model.Message, old *oldMessage) *model.Field {
	var added *model.Field
	for _, f := range m.Fields {
		if _, there := old.fields[f.Name]; there {
			continue
		}
		if added != nil {
			return nil
		}
		added = f
	}
	return added
}
