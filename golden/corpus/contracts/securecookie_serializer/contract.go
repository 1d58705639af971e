package securecookieserializer

import "github.com/gorilla/securecookie"

type Serializer = securecookie.Serializer
