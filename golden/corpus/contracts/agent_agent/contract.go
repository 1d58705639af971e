package agentagent

import "golang.org/x/crypto/ssh/agent"

// Agent is agent.Agent, as it stands.
type Agent = agent.Agent
