package memberlistdelegate

import "github.com/hashicorp/memberlist"

type Delegate = memberlist.Delegate
