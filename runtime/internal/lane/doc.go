// Package lane carries gRPC calls between two processes of one machine over a light framing of its own.
//
// [Client] is a [google.golang.org/grpc.ClientConnInterface] and [Server] a [google.golang.org/grpc.ServiceRegistrar]:
// generated code runs on them unchanged. Both sit on a [Carrier], usually a unix socket or a socket pair ([NewCarrier]), or one gRPC stream ([NewStreamCarrier]).
// FRAMES.md beside this file describes what travels.
//
// The package trusts neither side: lengths, ids, method numbers, windows and metadata are checked before anything is
// allocated or kept, and a peer that breaks a rule loses its connection, and nobody else's.
package lane
