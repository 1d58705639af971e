package aferolstater

import "github.com/spf13/afero"

// Lstater is afero.Lstater, as it stands.
type Lstater = afero.Lstater
