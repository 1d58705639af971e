package schema

import (
	"bytes"
	"errors"
	"fmt"

	"google.golang.org/protobuf/cmd/protoc-gen-go/internal_gengo"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// Code returns the .pb.go. It is called once; what the model knows of the .proto may be read meanwhile.
//
// A .pb.go spells out its descriptor as one sum of thousands of strings, and go/printer takes time that is quadratic in their
// number. So a sum of one string stands there while the file is formatted, and the real one takes its place.
func (c *Compiled) Code() ([]byte, error) {
	file := c.plugin.FilesByPath[c.file]
	whole := file.Proto
	file.Proto = &descriptorpb.FileDescriptorProto{Options: whole.Options}
	code, err := c.generate(file)
	file.Proto = whole
	if err != nil {
		return nil, err
	}
	return spellOut(code, whole)
}

func (c *Compiled) generate(file *protogen.File) ([]byte, error) {
	internal_gengo.GenerateFile(c.plugin, file)
	resp := c.plugin.Response()
	if resp.GetError() != "" {
		return nil, fmt.Errorf("generate .pb.go: %s", resp.GetError())
	}
	return []byte(resp.GetFile()[0].GetContent()), nil
}

// spellOut replaces the stand-in for the descriptor, which begins on a line of its own and ends before the next that is not indented.
func spellOut(code []byte, whole *descriptorpb.FileDescriptorProto) ([]byte, error) {
	stored := proto.CloneOf(whole)
	stored.SourceCodeInfo = nil
	dropSourceOptions(stored.ProtoReflect())
	raw, err := proto.MarshalOptions{AllowPartial: true, Deterministic: true}.Marshal(stored)
	if err != nil {
		return nil, fmt.Errorf("generate .pb.go: %w", err)
	}
	before, rest, found := bytes.Cut(code, []byte("_rawDesc = \"\" +\n"))
	end := bytes.Index(rest, []byte("\n\n"))
	if !found || end < 0 {
		return nil, errors.New("generate .pb.go: it has no descriptor where one belongs")
	}
	var b bytes.Buffer
	b.Grow(len(code) + 2*len(raw))
	b.Write(before)
	b.WriteString("_rawDesc = \"\"")
	for line := range bytes.SplitAfterSeq(raw, []byte("\n")) {
		fmt.Fprintf(&b, " +\n\t%q", line)
	}
	b.Write(rest[end:])
	return b.Bytes(), nil
}

// dropSourceOptions clears the options that are for readers of the .proto alone.
func dropSourceOptions(m protoreflect.Message) {
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		options, ok := field.Options().(*descriptorpb.FieldOptions)
		switch {
		case ok && options.GetRetention() == descriptorpb.FieldOptions_RETENTION_SOURCE:
			m.Clear(field)
		case field.Message() == nil || field.IsMap():
		case field.IsList():
			for i := range value.List().Len() {
				dropSourceOptions(value.List().Get(i).Message())
			}
		default:
			dropSourceOptions(value.Message())
		}
		return true
	})
}
