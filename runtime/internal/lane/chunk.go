package lane

import (
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// chunk is a message of a stream that carries frames. On the wire it is a google.protobuf.BytesValue; that type itself would have every
// plugin's program initialise all of its file, before its main.
type chunk struct {
	Value []byte `protobuf:"bytes,1,opt,name=value,proto3"`
}

// described is a chunk for protobuf, which finds out from the tag what is in it when a program sends or receives its first one.
type described chunk

func (d *described) Reset()       { *d = described{} }
func (*described) String() string { return "a piece of the lane" }
func (*described) ProtoMessage()  {}

// ProtoReflect is proto.Message's.
func (c *chunk) ProtoReflect() protoreflect.Message {
	return protoadapt.MessageV2Of((*described)(c)).ProtoReflect()
}
