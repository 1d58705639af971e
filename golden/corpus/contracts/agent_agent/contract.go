package agentagent

import "golang.org/x/crypto/ssh/agent"

type Agent = agent.Agent
