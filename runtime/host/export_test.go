package host

// LaneOnSocket has the calls to a plugin that the host starts take the tier that is otherwise for those it attaches to.
const LaneOnSocket = laneOnSocket
