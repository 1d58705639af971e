package gobillybasic

import billy "github.com/go-git/go-billy/v5"

// Basic is billy.Basic, as it stands.
type Basic = billy.Basic
