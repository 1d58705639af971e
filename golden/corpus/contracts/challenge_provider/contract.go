package challengeprovider

import "github.com/go-acme/lego/v4/challenge"

type Provider = challenge.Provider
