// Package corpus makes contracts of interfaces that other people published, as they stand, and calls each through a plugin's
// process. README.md has the list with what came of each; none was picked for being easy.
//
// It is a module of its own, so that none of these modules becomes a dependency of the project.
package corpus
