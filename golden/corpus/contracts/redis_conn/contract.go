package redisconn

import "github.com/gomodule/redigo/redis"

type Conn = redis.Conn
