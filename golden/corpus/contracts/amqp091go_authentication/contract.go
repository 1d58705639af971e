package amqp091goauthentication

import amqp091 "github.com/rabbitmq/amqp091-go"

// Authentication is amqp091.Authentication, as it stands.
type Authentication = amqp091.Authentication
