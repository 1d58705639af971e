package logrusstdlogger

import "github.com/sirupsen/logrus"

type StdLogger = logrus.StdLogger
