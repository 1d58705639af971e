// Package source brings the files of template sets: from a folder, from a Go module, or from a git repository.
//
// They are somebody else's data. What is brought is in memory: plain files alone, bounded in number and size. Nothing that comes
// with them runs.
package source
