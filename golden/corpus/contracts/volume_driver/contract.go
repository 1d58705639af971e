package volumedriver

import "github.com/docker/go-plugins-helpers/volume"

// Driver is volume.Driver, as it stands.
type Driver = volume.Driver
