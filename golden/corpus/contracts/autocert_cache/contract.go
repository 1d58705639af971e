package autocertcache

import "golang.org/x/crypto/acme/autocert"

type Cache = autocert.Cache
