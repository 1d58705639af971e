package oauth2tokensource

import "golang.org/x/oauth2"

// TokenSource gives tokens; what a Token hides is of no use to others.
//
//plugingen:partial golang.org/x/oauth2.Token
type TokenSource = oauth2.TokenSource
