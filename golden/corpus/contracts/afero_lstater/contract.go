package aferolstater

import "github.com/spf13/afero"

type Lstater = afero.Lstater
