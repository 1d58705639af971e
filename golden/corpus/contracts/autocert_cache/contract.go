package autocertcache

import "golang.org/x/crypto/acme/autocert"

// Cache is autocert.Cache, as it stands.
type Cache = autocert.Cache
