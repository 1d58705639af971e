"""How the two sides connect: plain or with TLS, by unix sockets or tcp, to the plugin itself and through the broker."""

import concurrent.futures
import itertools
import os
import queue
import threading

import grpc

import wire

PATIENCE = 20  # seconds that an announcement may take
OPTIONS = [("grpc.default_authority", "localhost"), ("grpc.ssl_target_name_override", "localhost"), ("grpc.enable_http_proxy", 0)]


def target(network, address):
    """Return what gRPC dials."""
    return "unix:" + address if network == "unix" else address


class Plain:
    """Connections without TLS."""

    def add_port(self, server, where):
        return server.add_insecure_port(where)

    def channel(self, where):
        return grpc.insecure_channel(where, OPTIONS)


class Mutual:
    """Connections on which each side shows its certificate; the other side's is the only one that is taken."""

    def __init__(self, key, pem, peer_pem):
        self._key, self._pem, self._peer = key, pem, peer_pem

    def add_port(self, server, where):
        secured = grpc.ssl_server_credentials([(self._key, self._pem)], root_certificates=self._peer, require_client_auth=True)
        return server.add_secure_port(where, secured)

    def channel(self, where):
        return grpc.secure_channel(where, grpc.ssl_channel_credentials(self._peer, self._key, self._pem), OPTIONS)


class Place:
    """Where this side listens: in a folder, or on a port within a range."""

    def __init__(self, folder, ports=None):
        self._folder, self._ports, self._count = folder, ports, itertools.count()

    def listen(self, server, security):
        """Make server listen, and return network and address."""
        if self._ports is None:
            address = os.path.join(self._folder, f"socket{next(self._count)}")
            if add_port(server, "unix:" + address, security):
                return "unix", address
            raise OSError("cannot listen on " + address)
        for port in range(self._ports[0], self._ports[1] + 1):
            if bound := add_port(server, f"127.0.0.1:{port}", security):
                return "tcp", f"127.0.0.1:{bound}"
        raise OSError(f"no free port within {self._ports}")


def add_port(server, where, security):
    """Listen there and return the port, 0 if that is not possible."""
    try:
        return security.add_port(server, where)
    except RuntimeError:
        return 0


def new_server(workers):
    # Without so_reuseport=0 two plugins could listen on the same tcp port, and the host would meet either.
    return grpc.server(concurrent.futures.ThreadPoolExecutor(max_workers=workers), options=[("grpc.so_reuseport", 0)])


class Broker:
    """Further connections between a host and its plugin, in either direction; plugin.GRPCBroker, without multiplexing.

    One side listens under a number of its own and announces it; the other dials what was announced.
    """

    def __init__(self, place, security):
        self._place, self._security = place, security
        self._count = itertools.count(1)
        self._to_say = queue.Queue()
        self._heard = {}
        self._changed = threading.Condition()
        self._servers = []

    def accept(self, service, implementation):
        """Serve one more connection, and return its number, which the other side has to be told."""
        server = new_server(2)
        server.add_generic_rpc_handlers([wire.handler(service, implementation)])
        network, address = self._place.listen(server, self._security)
        server.start()
        self._servers.append(server)
        number = next(self._count)
        self._to_say.put(wire.MESSAGES["ConnInfo"](service_id=number, network=network, address=address))
        return number

    def dial(self, number):
        """Return a channel to what the other side accepts under number."""
        with self._changed:
            if not self._changed.wait_for(lambda: number in self._heard, PATIENCE):
                raise TimeoutError(f"nothing was announced under {number}")
            info = self._heard.pop(number)
        return self._security.channel(target(info.network, info.address))

    def StartStream(self, requests, context):
        """Serve the plugin's half of the stream."""
        threading.Thread(target=self._hear, args=(requests,), daemon=True).start()
        return self._say()

    def run(self, channel):
        """Open the stream, which is the host's part, and stay until it ends."""
        self._hear(wire.call(channel, "plugin.GRPCBroker", "StartStream")(self._say()))

    def close(self):
        for server in self._servers:
            server.stop(None)
        self._to_say.put(None)

    def _say(self):
        while (info := self._to_say.get()) is not None:
            yield info
        self._to_say.put(None)  # for the next caller

    def _hear(self, infos):
        try:
            for info in infos:
                with self._changed:
                    self._heard[info.service_id] = info
                    self._changed.notify_all()
        except grpc.RpcError:
            pass  # the other side, or this one, has ended


class Callback:
    """What both sides serve on brokered connections."""

    def Ask(self, request, context):
        return wire.text("hello " + request.value)


def ask(channel, who):
    """Ask the other side's Callback."""
    with channel:
        return wire.call(channel, "interop.Callback", "Ask")(wire.text(who), timeout=PATIENCE).value
