package credentialshelper

import "github.com/docker/docker-credential-helpers/credentials"

type Helper = credentials.Helper
