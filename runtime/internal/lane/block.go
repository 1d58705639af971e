package lane

import (
	"encoding/binary"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// pairOverhead is what each metadata pair counts beside its bytes, as in HTTP/2: it bounds how many a block can hold.
const pairOverhead = 32

// cutBlock cuts a block with its length before it.
func cutBlock(b []byte) (block, rest []byte, err error) {
	if len(b) < 4 {
		return nil, nil, protocolError("block cut short")
	}
	n := binary.LittleEndian.Uint32(b)
	if n > maxBlock || uint64(n) > uint64(len(b)-4) {
		return nil, nil, protocolError("block of %d bytes in a body of %d", n, len(b))
	}
	return b[4 : 4+n], b[4+n:], nil
}

// appendBlock appends what fill appends, with its length before it.
func appendBlock(b []byte, fill func([]byte) []byte) []byte {
	at := len(b)
	b = fill(append(b, 0, 0, 0, 0))
	binary.LittleEndian.PutUint32(b[at:], uint32(len(b)-at-4))
	return b
}

// appendMetadata appends md, which checkMetadata has passed, as a block. Reserved keys stay behind, as with gRPC.
func appendMetadata(b []byte, md metadata.MD) []byte {
	return appendBlock(b, func(b []byte) []byte {
		for key, values := range md {
			if reservedKey(key) {
				continue
			}
			for _, value := range values {
				b = appendString(appendString(b, key), value)
			}
		}
		return b
	})
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func cutString(b []byte) (s string, rest []byte, ok bool) {
	n, width := binary.Uvarint(b)
	if width <= 0 || n > uint64(len(b)-width) {
		return "", nil, false
	}
	return string(b[width : width+int(n)]), b[width+int(n):], true
}

// cutMetadata cuts a metadata block; md is never nil without an error.
func cutMetadata(b []byte) (md metadata.MD, rest []byte, err error) {
	block, rest, err := cutBlock(b)
	if err != nil {
		return nil, nil, err
	}
	md = metadata.MD{}
	for size := 0; len(block) > 0; {
		var key, value string
		var ok bool
		if key, block, ok = cutString(block); ok {
			value, block, ok = cutString(block)
		}
		if !ok {
			return nil, nil, protocolError("metadata cut short")
		}
		if size += len(key) + len(value) + pairOverhead; size > maxBlock {
			return nil, nil, protocolError("metadata of more than %d bytes", maxBlock)
		}
		if err := checkPair(key, value); err != nil {
			return nil, nil, protocolError("%v", err)
		}
		md[key] = append(md[key], value)
	}
	return md, rest, nil
}

// checkMetadata says why md cannot be sent, by gRPC's rules and the lane's limit.
func checkMetadata(md metadata.MD) error {
	size := 0
	for key, values := range md {
		if reservedKey(key) {
			continue
		}
		for _, value := range values {
			size += len(key) + len(value) + pairOverhead
			if err := checkPair(key, value); err != nil {
				return err
			}
		}
	}
	if size > maxBlock {
		return fmt.Errorf("metadata of %d bytes (%d for each pair included) exceeds the limit of %d", size, pairOverhead, maxBlock)
	}
	return nil
}

func checkPair(key, value string) error {
	if key == "" {
		return fmt.Errorf("metadata with an empty key")
	}
	for i := range len(key) {
		if c := key[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_' {
			return fmt.Errorf("metadata key %q has characters other than [0-9a-z-_.]", key)
		}
	}
	if strings.HasSuffix(key, "-bin") {
		return nil
	}
	for i := range len(value) {
		if c := value[i]; c < 0x20 || c > 0x7e {
			return fmt.Errorf("metadata key %q has a value with non-printable characters; name it %s-bin", key, key)
		}
	}
	return nil
}

// reservedKey tells the keys that are gRPC's own and that it drops from what a caller sends.
func reservedKey(key string) bool {
	switch key {
	case "content-type", "user-agent", "grpc-message-type", "grpc-encoding", "grpc-message", "grpc-status", "grpc-timeout", "te":
		return true
	}
	return strings.HasPrefix(key, ":")
}

// appendStatus appends st as a block. Details that do not fit are left out, and the message says so.
func appendStatus(b []byte, st *status.Status) []byte {
	p := st.Proto()
	if size := proto.Size(p); size > maxBlock {
		note := fmt.Sprintf(" (shortened: the status took %d bytes of at most %d)", size, maxBlock)
		text := p.GetMessage()
		text = strings.ToValidUTF8(text[:min(len(text), maxBlock/2)], "")
		p = status.New(st.Code(), text+note).Proto()
	}
	return appendBlock(b, func(b []byte) []byte {
		out, err := proto.MarshalOptions{}.MarshalAppend(b, p)
		if err != nil { // a message that is not UTF-8
			p = status.New(st.Code(), strings.ToValidUTF8(st.Message(), "\uFFFD")).Proto()
			out, _ = proto.MarshalOptions{}.MarshalAppend(b, p)
		}
		return out
	})
}

func cutStatus(b []byte) (st *status.Status, rest []byte, err error) {
	block, rest, err := cutBlock(b)
	if err != nil {
		return nil, nil, err
	}
	p := status.New(codes.OK, "").Proto()
	if err := proto.Unmarshal(block, p); err != nil {
		return nil, nil, protocolError("status: %v", err)
	}
	if p.GetCode() == int32(codes.OK) {
		return nil, nil, protocolError("status block that says OK")
	}
	return status.FromProto(p), rest, nil
}
