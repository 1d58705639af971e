package persistadapter

import "github.com/casbin/casbin/v2/persist"

// Adapter is persist.Adapter, as it stands.
type Adapter = persist.Adapter
