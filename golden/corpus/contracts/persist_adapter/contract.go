package persistadapter

import "github.com/casbin/casbin/v2/persist"

type Adapter = persist.Adapter
