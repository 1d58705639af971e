package logrusfieldlogger

import "github.com/sirupsen/logrus"

type FieldLogger = logrus.FieldLogger
