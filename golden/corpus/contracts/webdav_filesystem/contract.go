package webdavfilesystem

import "golang.org/x/net/webdav"

// FileSystem is webdav.FileSystem, as it stands.
type FileSystem = webdav.FileSystem
