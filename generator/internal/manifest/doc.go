// Package manifest reads the files in which a template set, a team or a user says what it wants: template.yaml, plugingen.yaml,
// the answers to a set's questions and the cases of its tests.
//
// They are somebody else's data. Of YAML only plain mappings, lists and values count: anchors, aliases, merge keys, tags and
// several documents are faults, and so are keys that nobody knows or that stand there twice. All faults are reported at once, each
// with file, line and column.
package manifest
