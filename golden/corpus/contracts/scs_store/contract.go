package scsstore

import scs "github.com/alexedwards/scs/v2"

// Store is scs.Store, as it stands.
type Store = scs.Store
