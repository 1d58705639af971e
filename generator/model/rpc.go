package model

// RPC says how a method of a .proto's service travels: as its request and response are, without messages of ours.
// Where a message is no stream, the method's Params and Results have what people write in its place: nothing for
// google.protobuf.Empty, a time.Time for google.protobuf.Timestamp, and so on.
type RPC struct {
	Request, Response Payload
	// ClientStreams and ServerStreams say which of them is a stream.
	ClientStreams, ServerStreams bool
}

// Payload is a message that protobuf generated, as a request or a response.
type Payload struct {
	// Type is the struct.
	Type *Type
	// FullName is its name in protobuf, such as "google.protobuf.Empty".
	FullName string
}

// Pointer is the type of a value that holds the message.
func (p Payload) Pointer() *Type { return &Type{Kind: ProtoMessage, Elem: p.Type} }

// IsEmpty says whether the message says nothing.
func (p Payload) IsEmpty() bool { return p.FullName == "google.protobuf.Empty" }

// Plain is what people write in place of a message that holds one value: a string for a google.protobuf.StringValue.
// Nil for all others.
func (p Payload) Plain() *Type {
	kind, ok := map[string]Kind{
		"Timestamp": Time, "Duration": Duration, "StringValue": String, "BytesValue": Bytes, "BoolValue": Bool, "Int32Value": Int32,
		"Int64Value": Int64, "UInt32Value": Uint32, "UInt64Value": Uint64, "FloatValue": Float32, "DoubleValue": Float64,
	}[trimGoogle(p.FullName)]
	switch {
	case !ok:
		return nil
	case kind == Bytes:
		return &Type{Kind: Bytes, Elem: &Type{Kind: Uint8}}
	}
	return &Type{Kind: kind}
}

func trimGoogle(fullName string) string {
	const google = "google.protobuf."
	if len(fullName) > len(google) && fullName[:len(google)] == google {
		return fullName[len(google):]
	}
	return ""
}

// Param is the message, or the stream of it, as a parameter; nil for nothing.
func (p Payload) Param(streams bool) *Param {
	if streams {
		return &Param{Name: "in", Type: Stream(p.Pointer())}
	}
	if p.IsEmpty() {
		return nil
	}
	plain := p.Plain()
	switch {
	case plain == nil:
		return &Param{Name: "in", Type: p.Pointer()}
	case plain.Kind == Time:
		return &Param{Name: "at", Type: plain}
	}
	return &Param{Name: "value", Type: plain}
}

// Stream is the type of a stream of messages: iter.Seq2[*M, error].
func Stream(message *Type) *Type {
	return &Type{
		Kind: Live, Package: Package{Path: "iter", Name: "iter"}, Name: "Seq2", Args: []*Type{message, {Kind: Error}},
		Live: &LiveType{Form: Seq2},
	}
}

// ReturnsStream says whether the only result of the method is a stream of messages, whose errors are the method's.
func (m *Method) ReturnsStream() bool { return m.RPC != nil && m.RPC.ServerStreams }
