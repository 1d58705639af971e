package redisconn

import "github.com/gomodule/redigo/redis"

// Conn is redis.Conn, as it stands.
type Conn = redis.Conn
