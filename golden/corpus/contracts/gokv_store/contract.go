package gokvstore

import "github.com/philippgille/gokv"

type Store = gokv.Store
