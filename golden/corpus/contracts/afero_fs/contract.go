package aferofs

import "github.com/spf13/afero"

type Fs = afero.Fs
