package databasedriver

import "github.com/golang-migrate/migrate/v4/database"

// Driver is database.Driver, as it stands.
type Driver = database.Driver
