package runtime

import (
	"context"
	"slices"

	"google.golang.org/grpc/metadata"
)

// Of a context, its deadline and its cancellation cross to the other process. Its values do not, and neither does metadata
// that is meant for somebody else, such as the credentials of a request that the host is serving: only what
// WithMetadata lists goes with a call.

// metadataKey finds in a context what WithMetadata put there: keys and values in turns.
type metadataKey struct{}

// WithMetadata returns a context under which calls of contracts carry value, which Metadata finds under key on the other
// side. A later value for the same key wins. Keys have lower-case letters, digits and the characters - _ and .; they
// do not begin with grpc- or end with -bin. WithMetadata panics for others: they are a fault of the program. A value may
// be any string, but all that a context carries should stay below 8 KiB.
func WithMetadata(ctx context.Context, key, value string) context.Context {
	if !isMetadataKey(key) {
		panic("runtime: WithMetadata: " + key + " is no key: use lower-case letters, digits, - _ and .")
	}
	return context.WithValue(ctx, metadataKey{}, append(slices.Clone(listed(ctx)), key, value))
}

func listed(ctx context.Context) []string {
	pairs, _ := ctx.Value(metadataKey{}).([]string)
	return pairs
}

// Metadata returns what the caller's context carries under key; ok is false when that is nothing. It works in the
// caller's own process, too.
func Metadata(ctx context.Context, key string) (value string, ok bool) {
	pairs := listed(ctx)
	for i := len(pairs) - 2; i >= 0; i -= 2 {
		if pairs[i] == key {
			return pairs[i+1], true
		}
	}
	for _, name := range []string{key, key + binarySuffix} {
		if values := metadata.ValueFromIncomingContext(ctx, name); len(values) > 0 {
			return values[len(values)-1], true
		}
	}
	return "", false
}

// CallContext returns ctx as a call of a contract carries it: with what WithMetadata lists and no other metadata. Hosts apply it.
func CallContext(ctx context.Context) context.Context {
	pairs := listed(ctx)
	if len(pairs) == 0 {
		if _, has := metadata.FromOutgoingContext(ctx); !has {
			return ctx
		}
	}
	md := metadata.MD{}
	for i := 0; i < len(pairs); i += 2 {
		md.Delete(pairs[i])
		md.Delete(pairs[i] + binarySuffix)
		md.Set(wireKey(pairs[i], pairs[i+1]), pairs[i+1])
	}
	return metadata.NewOutgoingContext(ctx, md)
}

// binarySuffix marks keys whose values gRPC encodes.
const binarySuffix = "-bin"

func wireKey(key, value string) string {
	for i := range len(value) {
		if value[i] < ' ' || value[i] > '~' {
			return key + binarySuffix
		}
	}
	if value == "" || value[0] == ' ' || value[len(value)-1] == ' ' { // which HTTP may trim
		return key + binarySuffix
	}
	return key
}

func isMetadataKey(key string) bool {
	for i := range len(key) {
		c := key[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	const reserved = "grpc-"
	return key != "" && (len(key) < len(reserved) || key[:len(reserved)] != reserved) &&
		(len(key) < len(binarySuffix) || key[len(key)-len(binarySuffix):] != binarySuffix)
}
