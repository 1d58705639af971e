package volumedriver

import "github.com/docker/go-plugins-helpers/volume"

type Driver = volume.Driver
