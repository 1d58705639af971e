package aferofs

import "github.com/spf13/afero"

// Fs is afero.Fs, as it stands.
type Fs = afero.Fs
