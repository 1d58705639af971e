package challengeprovidertimeout

import "github.com/go-acme/lego/v4/challenge"

type ProviderTimeout = challenge.ProviderTimeout
