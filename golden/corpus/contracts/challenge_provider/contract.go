package challengeprovider

import "github.com/go-acme/lego/v4/challenge"

// Provider is challenge.Provider, as it stands.
type Provider = challenge.Provider
