// Package seen remembers what a run read and made, so that the next one can tell that it would make the same.
package seen
