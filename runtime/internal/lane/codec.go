package lane

import (
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"
)

// sized is a message whose encoding takes size bytes.
type sized struct {
	message proto.Message
	size    int
}

// measure sizes m and holds it to limit. Its errors are gRPC status errors.
func measure(m any, limit int) (sized, error) {
	message, err := messageOf(m)
	if err != nil {
		return sized{}, status.Errorf(codes.Internal, "lane: cannot encode: %v", err)
	}
	size := proto.Size(message)
	if size > limit {
		return sized{}, tooLarge("send", size, limit)
	}
	return sized{message: message, size: size}, nil
}

func tooLarge(verb string, size, limit int) error {
	return status.Errorf(codes.ResourceExhausted, "lane: cannot %s a message of %d bytes: the limit is %d", verb, size, limit)
}

// appendTo appends the encoding. measure must have been called on the unchanged message just before.
func (s sized) appendTo(b []byte) ([]byte, error) {
	out, err := proto.MarshalOptions{UseCachedSize: true}.MarshalAppend(b, s.message)
	if err != nil {
		return nil, status.Errorf(codes.Internal, "lane: cannot encode %T: %v", s.message, err)
	}
	return out, nil
}

// tail is the end of an encoding that is written from where it is.
type tail struct {
	b    []byte
	from *buffer // where b lives, to be given back; nil when it is the message's
}

// appendHeadTo appends the beginning of the encoding, all of it when the message is small, and returns the rest.
func (s sized) appendHeadTo(b []byte, buffers *buffers) ([]byte, tail, error) {
	if s.size <= maxWhole {
		b, err := s.appendTo(b)
		return b, tail{}, err
	}
	if prefix, bulk, ok := splitBulk(s); ok {
		return append(b, prefix...), tail{b: bulk}, nil
	}
	from := buffers.get(s.size)
	encoded, err := s.appendTo(from.b[:0])
	return b, tail{b: encoded, from: from}, err
}

func messageOf(m any) (proto.Message, error) {
	switch m := m.(type) {
	case proto.Message:
		return m, nil
	case protoadapt.MessageV1:
		return protoadapt.MessageV2Of(m), nil
	}
	return nil, fmt.Errorf("%T is no protobuf message", m)
}

// decodeOwn is decode of bytes that m may keep.
func decodeOwn(b []byte, m any) error {
	if message, err := messageOf(m); err == nil && joinBulk(b, message) {
		return nil
	}
	return decode(b, m)
}

// decode replaces what m holds. Its errors are gRPC status errors.
func decode(b []byte, m any) error {
	message, err := messageOf(m)
	if err == nil {
		err = proto.Unmarshal(b, message)
	}
	if err != nil {
		return status.Errorf(codes.Internal, "lane: cannot decode into %T: %v", m, err)
	}
	return nil
}
