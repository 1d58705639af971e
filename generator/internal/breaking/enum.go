package breaking

import (
	"fmt"

	"google.golang.org/protobuf/reflect/protoreflect"
)

func (c *comparison) enumList(was, now protoreflect.EnumDescriptors, at protoreflect.Descriptor) {
	for i := range was.Len() {
		if e := now.ByName(was.Get(i).Name()); e != nil {
			c.enum(was.Get(i), e)
			continue
		}
		c.at(enumRemoved, at, c.short(was.Get(i).FullName()), "the enum is gone; fields that had it are judged by the type they have", "")
	}
	for i := range now.Len() {
		if e := now.Get(i); was.ByName(e.Name()) == nil {
			c.at(enumAdded, e, c.short(e.FullName()), "the enum is new", "")
		}
	}
}

func (c *comparison) enum(was, now protoreflect.EnumDescriptor) {
	if !was.IsClosed() && now.IsClosed() {
		c.at(enumClosed, now, c.short(now.FullName()), "values without a name were kept and are dropped", "let it be open: features.enum_type = OPEN")
	}
	for i := range was.Values().Len() {
		c.value(was.Values().Get(i), now)
	}
	for i := range now.Values().Len() {
		c.newValue(now.Values().Get(i), was)
	}
	for i := range was.ReservedRanges().Len() {
		c.reservedValues(now, was.ReservedRanges().Get(i))
	}
}

func (c *comparison) valueName(v protoreflect.EnumValueDescriptor) string {
	return c.short(v.Parent().FullName()) + "." + string(v.Name())
}

func (c *comparison) value(was protoreflect.EnumValueDescriptor, now protoreflect.EnumDescriptor) {
	where := c.valueName(was)
	if v := now.Values().ByName(was.Name()); v != nil {
		if v.Number() != was.Number() {
			c.at(enumValueRenumbered, v, where, fmt.Sprintf("it was %d and is %d: programs built before take it for another one", was.Number(), v.Number()),
				"give the constants the numbers that they had, and add new ones at the end")
		}
		return
	}
	if v := now.Values().ByNumber(was.Number()); v != nil {
		c.at(enumValueRenamed, v, c.valueName(v), fmt.Sprintf("number %d was called %s: names do not travel", was.Number(), was.Name()), "")
		return
	}
	if now.ReservedRanges().Has(was.Number()) {
		c.at(enumValueRemoved, now, where, fmt.Sprintf("the value is gone and its number %d stays reserved", was.Number()), "")
		return
	}
	c.at(enumValueUnreserved, now, where, fmt.Sprintf("the value is gone, and its number %d is not reserved: a later one could take it", was.Number()),
		fmt.Sprintf("write reserved %d; in its enum", was.Number()))
}

func (c *comparison) newValue(now protoreflect.EnumValueDescriptor, was protoreflect.EnumDescriptor) {
	if was.Values().ByName(now.Name()) != nil || was.Values().ByNumber(now.Number()) != nil {
		return
	}
	if was.ReservedRanges().Has(now.Number()) {
		c.at(enumValueReusesNumber, now, c.valueName(now), fmt.Sprintf("number %d was reserved: programs built before may know another value under it", now.Number()),
			"give the constant a number that none had")
		return
	}
	c.at(enumValueAdded, now, c.valueName(now), "the value is new: programs built before keep its number", "")
}

// reservedValues is reserved for enums, where both ends of a range belong to it.
func (c *comparison) reservedValues(now protoreflect.EnumDescriptor, was [2]protoreflect.EnumNumber) {
	for n := int64(was[0]); n <= int64(was[1]); {
		covered := n
		for i := range now.ReservedRanges().Len() {
			if r := now.ReservedRanges().Get(i); int64(r[0]) <= n && n <= int64(r[1]) {
				covered = int64(r[1]) + 1
			}
		}
		switch {
		case covered > n:
			n = covered
		case now.Values().ByNumber(protoreflect.EnumNumber(n)) != nil:
			n++
		default:
			c.at(reservedRemoved, now, c.short(now.FullName()), fmt.Sprintf("number %d is not reserved any more: a later value could take it", n),
				fmt.Sprintf("write reserved %d; in it again", n))
			return
		}
	}
}
