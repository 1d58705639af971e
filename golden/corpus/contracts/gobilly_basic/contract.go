package gobillybasic

import billy "github.com/go-git/go-billy/v5"

type Basic = billy.Basic
