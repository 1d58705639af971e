package logrushook

import "github.com/sirupsen/logrus"

type Hook = logrus.Hook
