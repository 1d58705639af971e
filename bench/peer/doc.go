// Package peer carries the bench's work over anything that looks like gRPC, as an author writes it without plugingen:
// messages by protoc-gen-go, and stubs of the form that protoc-gen-go-grpc gives them.
package peer

//go:generate go -C ../.. run ./generator/internal/protogen bench/peer/peer.proto
