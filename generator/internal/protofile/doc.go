// Package protofile reads .proto files with services as contracts, and makes their .pb.go.
package protofile
