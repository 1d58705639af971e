// Package glue renders the Go code of a contract that calls and serves its interfaces over gRPC.
//
// It computes what the template walks: names that clash with nothing, and the statements that convert values.
package glue
