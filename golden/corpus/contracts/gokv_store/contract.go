package gokvstore

import "github.com/philippgille/gokv"

// Store is gokv.Store, as it stands.
//
//plugingen:inout Get.v
type Store = gokv.Store
