package storagestorage

import "github.com/syndtr/goleveldb/leveldb/storage"

// Storage is storage.Storage, as it stands.
type Storage = storage.Storage
