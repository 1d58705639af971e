// Package interop runs our plugins under other people's hosts and other people's plugins under ours, and writes down in the
// project's README what has been seen to work. Its tests are all that it has.
//
// It is a module of its own, so that go-plugin never becomes a dependency of the project. Both runtimes are linked
// into one binary here: that they do not clash at start is the first thing it shows.
package interop
