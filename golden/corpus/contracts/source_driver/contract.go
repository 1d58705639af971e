package sourcedriver

import "github.com/golang-migrate/migrate/v4/source"

type Driver = source.Driver
