package amqp091goacknowledger

import amqp091 "github.com/rabbitmq/amqp091-go"

// Acknowledger is amqp091.Acknowledger, as it stands.
type Acknowledger = amqp091.Acknowledger
