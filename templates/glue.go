package templates

import _ "embed" // for Glue

// Glue is the template of zz_plugingen.go, the half of a contract that only the generator writes. It belongs to no set:
// what it walks is made for it.
//
//go:embed glue/zz_plugingen.go.txt
var Glue string

// GlueRPC is Glue's like for a contract that is made of .proto files: their services need no messages of ours.
//
//go:embed glue/zz_plugingen_rpc.go.txt
var GlueRPC string
