package amqp091goacknowledger

import amqp091 "github.com/rabbitmq/amqp091-go"

type Acknowledger = amqp091.Acknowledger
