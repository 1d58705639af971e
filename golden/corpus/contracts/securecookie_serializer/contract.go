package securecookieserializer

import "github.com/gorilla/securecookie"

// Serializer is securecookie.Serializer, as it stands.
type Serializer = securecookie.Serializer
