// Package stubs finds the types that implement a contract in the source of a plugin, and adds text to the files that they are in.
// It reads syntax alone: the contract has just changed, and the code around it need not compile.
package stubs
