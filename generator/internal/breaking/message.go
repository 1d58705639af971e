package breaking

import (
	"fmt"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// messageList compares messages by their names; at is where one that is gone is missed.
func (c *comparison) messageList(was, now protoreflect.MessageDescriptors, at protoreflect.Descriptor) {
	for i := range was.Len() {
		old := was.Get(i)
		if old.IsMapEntry() {
			continue
		}
		m := now.ByName(old.Name())
		if m == nil || m.IsMapEntry() {
			c.at(messageRemoved, at, c.short(old.FullName()), "the message is gone, and with it the numbers that must not be used again",
				"keep it, with its numbers reserved, as plugingen generate does")
			continue
		}
		c.message(old, m)
	}
	for i := range now.Len() {
		if m := now.Get(i); !m.IsMapEntry() && was.ByName(m.Name()) == nil && !c.newCalls[c.short(m.FullName())] {
			c.at(messageAdded, m, c.short(m.FullName()), "the message is new", "")
		}
	}
}

func (c *comparison) message(was, now protoreflect.MessageDescriptor) {
	for i := range was.Fields().Len() {
		c.field(was.Fields().Get(i), now)
	}
	for i := range now.Fields().Len() {
		c.newField(now.Fields().Get(i), was)
	}
	for i := range was.ReservedRanges().Len() {
		c.reserved(now, was.ReservedRanges().Get(i))
	}
	c.messageList(was.Messages(), now.Messages(), now)
	c.enumList(was.Enums(), now.Enums(), now)
}

// field finds out what became of a field.
func (c *comparison) field(was protoreflect.FieldDescriptor, now protoreflect.MessageDescriptor) {
	if f := now.Fields().ByNumber(was.Number()); f != nil {
		c.sameNumber(was, f)
		return
	}
	where, message := c.short(was.FullName()), c.short(now.FullName())
	if f := now.Fields().ByName(was.Name()); f != nil {
		c.at(fieldRenumbered, f, where, fmt.Sprintf("its number was %d and is %d%s: programs built before do not see it", was.Number(), f.Number(), c.typeNote(was, f)),
			"keep number and type, and add a field for what is new")
		return
	}
	switch {
	case !now.ReservedRanges().Has(was.Number()):
		c.at(fieldUnreserved, now, where, fmt.Sprintf("the field is gone, and its number %d is not reserved: a later field could take it", was.Number()),
			fmt.Sprintf("write reserved %d; in its message", was.Number()))
	case c.oldCalls[message] && !c.newCalls[message]: // its method is gone, which is told there
	case c.newCalls[message]:
		c.at(parameterRemoved, now, where, "programs built before get the zero value for it, and theirs is not seen",
			"keep it, or add a method under another name; was it renamed? rename one at a time, and generate in between")
	default:
		c.at(fieldRemoved, now, where, fmt.Sprintf("the field is gone and its number %d stays reserved: programs built before read the zero value", was.Number()), "")
	}
}

func (c *comparison) typeNote(was, now protoreflect.FieldDescriptor) string {
	if old, text := c.typeText(was), c.typeText(now); old != text {
		return fmt.Sprintf(", its type was %s and is %s", old, text)
	}
	return ""
}

// sameNumber compares what is sent under one number.
func (c *comparison) sameNumber(was, now protoreflect.FieldDescriptor) {
	where := c.short(now.FullName())
	old, text := c.typeText(was), c.typeText(now)
	switch {
	case was.Cardinality() == protoreflect.Repeated != (now.Cardinality() == protoreflect.Repeated), was.IsMap() != now.IsMap():
		c.at(fieldCardinality, now, where, fmt.Sprintf("number %d was %s and is %s", now.Number(), old, text), "keep the field, and add one under a new number")
	case old != text && !sameEncoding(was, now):
		c.at(fieldType, now, where, fmt.Sprintf("the type of number %d was %s and is %s", now.Number(), old, text), "keep the field, and add one under a new number")
	case old != text:
		c.at(fieldEncoding, now, where, fmt.Sprintf("the type was %s and is %s: the same bytes", old, text), "")
	}
	if a, b := oneofName(was), oneofName(now); a != b {
		c.at(fieldOneof, now, where, fmt.Sprintf("it was %s and is %s", inOneof(a), inOneof(b)), "keep it where it was, and add a field")
	} else if was.HasPresence() != now.HasPresence() {
		c.at(fieldPresence, now, where, fmt.Sprintf("an absent value %s told from the zero value", wasAndIs(was.HasPresence())), "")
	}
	if was.Name() != now.Name() {
		c.at(fieldRenamed, now, where, fmt.Sprintf("it was called %s: names do not travel", was.Name()), "")
	}
}

func wasAndIs(before bool) string {
	if before {
		return "was, and is not any more,"
	}
	return "was not, and now is,"
}

func oneofName(f protoreflect.FieldDescriptor) protoreflect.Name {
	if o := f.ContainingOneof(); o != nil && !o.IsSynthetic() {
		return o.Name()
	}
	return ""
}

func inOneof(name protoreflect.Name) string {
	if name == "" {
		return "in no oneof"
	}
	return "in oneof " + string(name)
}

// sameEncoding says whether all values of one type are valid bytes of the other: enums are numbers that have got names.
func sameEncoding(was, now protoreflect.FieldDescriptor) bool {
	if was.IsMap() && now.IsMap() {
		return sameEncoding(was.MapKey(), now.MapKey()) && sameEncoding(was.MapValue(), now.MapValue())
	}
	a, b := was.Kind(), now.Kind()
	switch {
	case a == protoreflect.MessageKind || b == protoreflect.MessageKind || a == protoreflect.GroupKind || b == protoreflect.GroupKind:
		return false
	case a == protoreflect.EnumKind && b == protoreflect.EnumKind, a == b:
		return true
	}
	return a == protoreflect.EnumKind && isVarint(b) || b == protoreflect.EnumKind && isVarint(a)
}

func isVarint(k protoreflect.Kind) bool {
	switch k {
	case protoreflect.Int32Kind, protoreflect.Int64Kind, protoreflect.Uint32Kind, protoreflect.Uint64Kind:
		return true
	}
	return false
}

// typeText is the type as a .proto has it, without presence.
func (c *comparison) typeText(f protoreflect.FieldDescriptor) string {
	if f.IsMap() {
		return "map<" + c.typeText(f.MapKey()) + ", " + c.typeText(f.MapValue()) + ">"
	}
	text := f.Kind().String()
	switch {
	case f.Kind() == protoreflect.GroupKind:
		text = "delimited " + c.short(f.Message().FullName())
	case f.Message() != nil:
		text = c.short(f.Message().FullName())
	case f.Enum() != nil:
		text = c.short(f.Enum().FullName())
	}
	if f.IsList() {
		return "repeated " + text
	}
	return text
}

// newField looks at a field whose number the message did not have.
func (c *comparison) newField(now protoreflect.FieldDescriptor, was protoreflect.MessageDescriptor) {
	if was.Fields().ByNumber(now.Number()) != nil {
		return
	}
	where := c.short(now.FullName())
	if was.ReservedRanges().Has(now.Number()) {
		c.at(fieldReusesNumber, now, where, fmt.Sprintf("number %d was reserved: programs built before may know another field under it", now.Number()),
			"give it a number that no field had, and reserve this one again")
		return
	}
	if was.Fields().ByName(now.Name()) == nil {
		c.at(fieldAdded, now, where, "the field is new: from programs built before it comes as the zero value", "")
	}
}

// reserved finds numbers that were reserved and are free now. What a field uses is told there.
func (c *comparison) reserved(now protoreflect.MessageDescriptor, was [2]protoreflect.FieldNumber) {
	for n := was[0]; n < was[1]; {
		covered := n
		for i := range now.ReservedRanges().Len() {
			if r := now.ReservedRanges().Get(i); r[0] <= n && n < r[1] {
				covered = r[1]
			}
		}
		switch {
		case covered > n:
			n = covered
		case now.Fields().ByNumber(n) != nil:
			n++
		default:
			c.at(reservedRemoved, now, c.short(now.FullName()), fmt.Sprintf("number %d is not reserved any more: a later field could take it", n),
				fmt.Sprintf("write reserved %d; in it again", n))
			return
		}
	}
}
