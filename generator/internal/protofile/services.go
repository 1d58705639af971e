package protofile

import (
	"strconv"
	"strings"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/plugingen/plugingen/generator/model"
)

// mapper turns services into interfaces.
type mapper struct {
	*Contract
	faults *faults
	shown  map[string]string // files for people, by the names that the compiler knows
}

func (m *mapper) services(names []string) {
	taken := map[string]bool{}
	for _, name := range m.Model.Declared {
		taken[name] = true
	}
	for _, name := range names {
		for _, s := range m.plugin.FilesByPath[name].Services {
			if len(s.Methods) == 0 {
				m.note(s.Desc, "service "+string(s.Desc.Name()), "it has no methods: there is no interface for it", "add a method, or take the service away")
				continue
			}
			m.Model.Services = append(m.Model.Services, m.service(s, taken))
		}
	}
	if len(m.Model.Services) == 0 {
		m.faults.add(model.Diagnostic{
			Code: codeNoService, File: m.shown[names[0]], Why: "there is no service with methods: nothing could be called", Hint: "add one, or name another file with --proto",
		})
	}
}

func (m *mapper) note(d protoreflect.Descriptor, where, why, hint string) {
	file, line, column := m.position(d)
	m.faults.notes = append(m.faults.notes, model.Diagnostic{Code: codeNoMethods, File: file, Line: line, Column: column, Where: where, Why: why, Hint: hint})
}

func (m *mapper) position(d protoreflect.Descriptor) (file string, line, column int) {
	at := d.ParentFile().SourceLocations().ByDescriptor(d)
	return m.shown[d.ParentFile().Path()], at.StartLine + 1, at.StartColumn + 1
}

// pick gives a name that nothing has; taken are those that are given.
func pick(taken map[string]bool, name, suffix string) string {
	try := name
	for i := 1; taken[try]; i++ {
		try = name + suffix
		if i > 1 {
			try += strconv.Itoa(i)
		}
	}
	taken[try] = true
	return try
}

func (m *mapper) service(s *protogen.Service, taken map[string]bool) *model.Service {
	options, _ := s.Desc.Options().(*descriptorpb.ServiceOptions)
	v := &model.Service{
		Name: pick(taken, s.GoName, "Interface"), WireName: string(s.Desc.FullName()), Source: s.Desc.ParentFile().Path(),
		Doc: m.doc(s.Desc, s.Comments, options.GetDeprecated()),
	}
	names := map[string]bool{}
	for _, each := range s.Methods {
		v.Methods = append(v.Methods, m.method(each, names))
	}
	return v
}

// doc is a comment without its marks.
func (m *mapper) doc(d protoreflect.Descriptor, c protogen.CommentSet, deprecated bool) string {
	text := string(c.Leading)
	if text == "" {
		text = string(c.Trailing)
	}
	var lines []string
	for line := range strings.Lines(text) {
		lines = append(lines, strings.TrimPrefix(strings.TrimRight(line, " \t\r\n"), " "))
	}
	text = strings.Trim(strings.Join(lines, "\n"), "\n")
	if deprecated && !strings.Contains(text, "Deprecated:") {
		text = strings.TrimPrefix(text+"\n\nDeprecated: "+m.shown[d.ParentFile().Path()]+" says so.", "\n\n")
	}
	return text
}

func (m *mapper) method(p *protogen.Method, names map[string]bool) *model.Method {
	options, _ := p.Desc.Options().(*descriptorpb.MethodOptions)
	file, line, column := m.position(p.Desc)
	rpc := &model.RPC{
		Request: m.payload(p.Input), Response: m.payload(p.Output),
		ClientStreams: p.Desc.IsStreamingClient(), ServerStreams: p.Desc.IsStreamingServer(),
	}
	v := &model.Method{
		Name: pick(names, p.GoName, "Method"), WireName: string(p.Desc.Name()), Doc: m.doc(p.Desc, p.Comments, options.GetDeprecated()),
		Pos: model.Diagnostic{File: file, Line: line, Column: column}.Position(), HasContext: true, ContextName: "ctx", HasError: !rpc.ServerStreams, RPC: rpc,
	}
	if param := rpc.Request.Param(rpc.ClientStreams); param != nil {
		v.Params = []*model.Param{param}
	}
	if result := rpc.Response.Param(rpc.ServerStreams); result != nil {
		v.Results = []*model.Param{{Type: result.Type}}
	}
	return v
}

func (m *mapper) payload(p *protogen.Message) model.Payload {
	file := m.plugin.FilesByPath[p.Desc.ParentFile().Path()]
	return model.Payload{
		FullName: string(p.Desc.FullName()),
		Type: &model.Type{
			Kind: model.Struct, Name: p.GoIdent.GoName,
			Package: model.Package{Path: string(p.GoIdent.GoImportPath), Name: string(file.GoPackageName)},
		},
	}
}
