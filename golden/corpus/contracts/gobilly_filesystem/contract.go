package gobillyfilesystem

import billy "github.com/go-git/go-billy/v5"

// Filesystem is billy.Filesystem, as it stands.
type Filesystem = billy.Filesystem
