package credentialsprovider

import "github.com/minio/minio-go/v7/pkg/credentials"

// Provider is credentials.Provider, as it stands.
type Provider = credentials.Provider
