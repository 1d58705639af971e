package challengeprovidertimeout

import "github.com/go-acme/lego/v4/challenge"

// ProviderTimeout is challenge.ProviderTimeout, as it stands.
type ProviderTimeout = challenge.ProviderTimeout
