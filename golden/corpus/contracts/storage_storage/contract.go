package storagestorage

import "github.com/syndtr/goleveldb/leveldb/storage"

type Storage = storage.Storage
