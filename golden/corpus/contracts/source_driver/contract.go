package sourcedriver

import "github.com/golang-migrate/migrate/v4/source"

// Driver is source.Driver, as it stands.
type Driver = source.Driver
