package logrusstdlogger

import "github.com/sirupsen/logrus"

// StdLogger is logrus.StdLogger, as it stands.
type StdLogger = logrus.StdLogger
