package webdavfilesystem

import "golang.org/x/net/webdav"

type FileSystem = webdav.FileSystem
