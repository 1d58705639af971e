package logrusfieldlogger

import "github.com/sirupsen/logrus"

// FieldLogger is logrus.FieldLogger, as it stands.
type FieldLogger = logrus.FieldLogger
