package credentialshelper

import "github.com/docker/docker-credential-helpers/credentials"

// Helper is credentials.Helper, as it stands.
type Helper = credentials.Helper
