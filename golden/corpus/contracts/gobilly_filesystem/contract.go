package gobillyfilesystem

import billy "github.com/go-git/go-billy/v5"

type Filesystem = billy.Filesystem
