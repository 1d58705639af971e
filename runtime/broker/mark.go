package broker

import "net"

// Mark is what [Broker.Listener] does for connections, for one that no listener has accepted: with the address that it returns as
// their peer's, calls find the broker by [FromContext].
func (b *Broker) Mark(remote net.Addr) net.Addr { return &mainAddr{remote, b} }
