package credentialsprovider

import "github.com/minio/minio-go/v7/pkg/credentials"

type Provider = credentials.Provider
