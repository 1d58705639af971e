package memberlistdelegate

import "github.com/hashicorp/memberlist"

// Delegate is memberlist.Delegate, as it stands.
type Delegate = memberlist.Delegate
