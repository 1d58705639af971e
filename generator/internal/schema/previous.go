package schema

import (
	"bytes"
	"errors"
	"regexp"
	"strings"

	"github.com/bufbuild/protocompile/parser"
	"github.com/bufbuild/protocompile/reporter"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/plugingen/plugingen/generator/model"
)

// Codes of faults and notes.
const (
	codePrevious = "PG0040"
	codeNumbers  = "PG0041"
	codeRemoved  = "PG0102"
	codeMoved    = "PG0103"
	codeRenamed  = "PG0105"
)

// previous is what the checked-in .proto says.
type previous struct {
	pkg      string
	messages map[string]*oldMessage
	enums    map[string]*oldEnum
	byDoc    map[string]string // what a message is for -> its name, from the comments that we write
}

type oldMessage struct {
	fields   map[string]oldField
	reserved []model.Range
	names    []string // reserved
}

type oldEnum struct {
	values   map[string]int
	reserved []model.Range
	names    []string // reserved
}

type oldField struct {
	number int
	shape  string
}

// purpose finds the line by which a message tells the Go type, or the method, that it is for: see Message.Doc.
var purpose = regexp.MustCompile(`(?m)^// (\w+) ((?:carries|holds) \S.*)$`)

// readPrevious parses the .proto of an earlier run; nil data means that there is none.
func readPrevious(name string, data []byte) (*previous, model.Diagnostics) {
	p := &previous{messages: map[string]*oldMessage{}, enums: map[string]*oldEnum{}, byDoc: map[string]string{}}
	if data == nil {
		return p, nil
	}
	var faults model.Diagnostics
	handler := reporter.NewHandler(reporter.NewReporter(func(err reporter.ErrorWithPos) error {
		faults = append(faults, protoFault(name, err))
		return nil
	}, nil))
	file, err := parser.Parse(name, bytes.NewReader(data), handler)
	if err == nil {
		var result parser.Result
		if result, err = parser.ResultFromAST(file, true, handler); err == nil {
			p.read(result.FileDescriptorProto())
		}
	}
	if err != nil && len(faults) == 0 {
		faults = append(faults, model.Diagnostic{Code: codePrevious, File: name, Why: err.Error(), Hint: previousHint})
	}
	for _, m := range purpose.FindAllSubmatch(data, -1) {
		p.byDoc[string(m[2])] = string(m[1])
	}
	return p, faults
}

const previousHint = "field numbers are kept from this file: restore it from version control"

func protoFault(name string, err error) model.Diagnostic {
	d := model.Diagnostic{Code: codePrevious, File: name, Why: err.Error(), Hint: previousHint}
	var at reporter.ErrorWithPos
	if errors.As(err, &at) {
		d.Line, d.Column, d.Why = at.GetPosition().Line, at.GetPosition().Col, at.Unwrap().Error()
	}
	return d
}

func (p *previous) read(fd *descriptorpb.FileDescriptorProto) {
	p.pkg = fd.GetPackage()
	for _, m := range fd.GetMessageType() {
		p.messages[m.GetName()] = p.message(m)
	}
	for _, e := range fd.GetEnumType() {
		old := &oldEnum{values: map[string]int{}, names: e.GetReservedName()}
		for _, v := range e.GetValue() {
			old.values[v.GetName()] = int(v.GetNumber())
		}
		for _, r := range e.GetReservedRange() { // of enums, both ends are in it
			old.reserved = append(old.reserved, model.Range{First: int(r.GetStart()), Last: int(r.GetEnd())})
		}
		p.enums[e.GetName()] = old
	}
}

func (p *previous) message(m *descriptorpb.DescriptorProto) *oldMessage {
	old := &oldMessage{fields: map[string]oldField{}, names: m.GetReservedName()}
	for _, f := range m.GetField() {
		old.fields[f.GetName()] = oldField{number: int(f.GetNumber()), shape: p.shape(m, f)}
	}
	for _, r := range m.GetReservedRange() {
		old.reserved = append(old.reserved, model.Range{First: int(r.GetStart()), Last: int(r.GetEnd()) - 1})
	}
	for _, r := range m.GetExtensionRange() {
		old.reserved = append(old.reserved, model.Range{First: int(r.GetStart()), Last: int(r.GetEnd()) - 1})
	}
	return old
}

// shape is the field's type as this package prints it, without its presence: that may change.
func (p *previous) shape(m *descriptorpb.DescriptorProto, f *descriptorpb.FieldDescriptorProto) string {
	for _, nested := range m.GetNestedType() {
		if nested.GetOptions().GetMapEntry() && nested.GetName() == f.GetTypeName() && len(nested.GetField()) == 2 {
			return "map<" + p.typeName(nested.GetField()[0]) + ", " + p.typeName(nested.GetField()[1]) + ">"
		}
	}
	if f.GetLabel() == descriptorpb.FieldDescriptorProto_LABEL_REPEATED {
		return "repeated " + p.typeName(f)
	}
	return p.typeName(f)
}

func (p *previous) typeName(f *descriptorpb.FieldDescriptorProto) string {
	if name := f.GetTypeName(); name != "" {
		return strings.TrimPrefix(strings.TrimPrefix(name, "."+p.pkg+"."), p.pkg+".")
	}
	return strings.ToLower(strings.TrimPrefix(f.GetType().String(), "TYPE_"))
}
