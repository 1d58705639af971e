package gokvstore

import "github.com/philippgille/gokv"

// Store is gokv.Store, as it stands.
type Store = gokv.Store
