package databasedriver

import "github.com/golang-migrate/migrate/v4/database"

type Driver = database.Driver
