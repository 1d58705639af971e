package scsstore

import scs "github.com/alexedwards/scs/v2"

type Store = scs.Store
