package amqp091goauthentication

import amqp091 "github.com/rabbitmq/amqp091-go"

type Authentication = amqp091.Authentication
