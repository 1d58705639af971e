package breaking

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// Files compares two states of a .proto.
func Files(was, now protoreflect.FileDescriptor) []Change {
	c := &comparison{oldPackage: was.Package(), newPackage: now.Package(), oldFile: was, newFile: now}
	if was.Package() != now.Package() {
		c.at(packageChanged, now, string(now.Package()), fmt.Sprintf("the package was %s: no program built before knows these services", was.Package()),
			"give the package its old name; a contract's .proto keeps it when the Go package moves")
	}
	c.oldCalls, c.newCalls = c.calls(was), c.calls(now)
	c.services(was.Services(), now.Services())
	c.messageList(was.Messages(), now.Messages(), now)
	c.enumList(was.Enums(), now.Enums(), now)
	return sorted(c.changes)
}

// short is a name without the package of its file.
func (c *comparison) short(name protoreflect.FullName) string {
	for _, pkg := range []protoreflect.FullName{c.oldPackage, c.newPackage} {
		if rest, ok := strings.CutPrefix(string(name), string(pkg)+"."); ok && pkg != "" {
			return rest
		}
	}
	return string(name)
}

// calls are the messages of parameters and results.
func (c *comparison) calls(fd protoreflect.FileDescriptor) map[string]bool {
	calls := map[string]bool{}
	for i := range fd.Services().Len() {
		methods := fd.Services().Get(i).Methods()
		for j := range methods.Len() {
			calls[c.short(methods.Get(j).Input().FullName())] = true
			calls[c.short(methods.Get(j).Output().FullName())] = true
		}
	}
	return calls
}

func (c *comparison) services(was, now protoreflect.ServiceDescriptors) {
	var gone, added []protoreflect.ServiceDescriptor
	for i := range was.Len() {
		if s := now.ByName(was.Get(i).Name()); s != nil {
			c.methods(was.Get(i), s)
		} else {
			gone = append(gone, was.Get(i))
		}
	}
	for i := range now.Len() {
		if was.ByName(now.Get(i).Name()) == nil {
			added = append(added, now.Get(i))
		}
	}
	for _, old := range gone {
		i := slices.IndexFunc(added, func(s protoreflect.ServiceDescriptor) bool { return sameMethods(old, s) })
		if i < 0 {
			c.at(serviceRemoved, c.newFile, string(old.Name()), "the service is gone: programs built before cannot call it",
				"keep the interface in the contract, or serve a new version of the contract beside the old one")
			continue
		}
		c.at(serviceRenamed, added[i], string(added[i].Name()), fmt.Sprintf("the service was called %s: no program built before finds it", old.Name()),
			"keep the interface's name, or add an interface and keep the old one")
		added = slices.Delete(added, i, i+1)
	}
	for _, s := range added {
		c.at(serviceAdded, s, string(s.Name()), "the service is new", "")
	}
}

func sameMethods(a, b protoreflect.ServiceDescriptor) bool {
	if a.Methods().Len() == 0 || a.Methods().Len() != b.Methods().Len() {
		return false
	}
	for i := range a.Methods().Len() {
		if b.Methods().ByName(a.Methods().Get(i).Name()) == nil {
			return false
		}
	}
	return true
}

func (c *comparison) methods(was, now protoreflect.ServiceDescriptor) {
	for i := range was.Methods().Len() {
		old := was.Methods().Get(i)
		if m := now.Methods().ByName(old.Name()); m != nil {
			c.method(old, m)
			continue
		}
		c.at(methodRemoved, now, c.short(old.FullName()), "the method is gone: programs built before cannot call it",
			"keep it, and let it return an error that says what to call instead")
	}
	for i := range now.Methods().Len() {
		if m := now.Methods().Get(i); was.Methods().ByName(m.Name()) == nil {
			c.at(methodAdded, m, c.short(m.FullName()), "the method is new: a plugin built before lacks it, and calling it there is an error that says so", "")
		}
	}
}

func (c *comparison) method(was, now protoreflect.MethodDescriptor) {
	where := c.short(now.FullName())
	if old, m := c.short(was.Input().FullName()), c.short(now.Input().FullName()); old != m {
		c.at(methodRequest, now, where, fmt.Sprintf("its parameters travelled as %s and travel as %s", old, m), "keep the message, and change its fields")
	}
	if old, m := c.short(was.Output().FullName()), c.short(now.Output().FullName()); old != m {
		c.at(methodResponse, now, where, fmt.Sprintf("its results travelled as %s and travel as %s", old, m), "keep the message, and change its fields")
	}
	if was.IsStreamingClient() != now.IsStreamingClient() || was.IsStreamingServer() != now.IsStreamingServer() {
		c.at(methodStreaming, now, where, fmt.Sprintf("it was %s and is %s", kindOfCall(was), kindOfCall(now)), "add a method under another name")
	}
}

func kindOfCall(m protoreflect.MethodDescriptor) string {
	switch {
	case m.IsStreamingClient() && m.IsStreamingServer():
		return "a stream both ways"
	case m.IsStreamingClient():
		return "a stream from the caller"
	case m.IsStreamingServer():
		return "a stream to the caller"
	default:
		return "a plain call"
	}
}
