// Package breaking compares two states of a contract and says what each change means for programs that were built before.
package breaking
