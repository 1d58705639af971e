package logrushook

import "github.com/sirupsen/logrus"

// Hook is logrus.Hook, as it stands.
type Hook = logrus.Hook
