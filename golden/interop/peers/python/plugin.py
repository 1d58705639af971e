#!/usr/bin/env python3
"""A plugin in Python: it serves grpctest.Test to a host that speaks go-plugin's protocol."""

import concurrent.futures
import os
import queue
import select
import shutil
import signal
import sys
import tempfile
import threading

import grpc

import wire

GRACE = 0.5  # seconds for calls in flight once the plugin stops; a host kills it after two


class Test:
    """The service that this plugin is for."""

    def Double(self, request, context):
        return wire.MESSAGES["TestResponse"](output=2 * request.input)

    def Stream(self, requests, context):
        for request in requests:
            yield self.Double(request, context)

    def PrintStdio(self, request, context):
        for stream, data in (sys.stdout, request.stdout), (sys.stderr, request.stderr):
            stream.buffer.write(data)
            stream.flush()
        return wire.MESSAGES["Empty"]()


class Printed:
    """What the plugin prints on its stdout after the start; it goes to the host through GRPCStdio."""

    def __init__(self):
        self.real = os.dup(1)  # for the handshake line, and to learn when the host dies
        self._source, write_end = os.pipe()
        os.dup2(write_end, 1)
        os.close(write_end)
        self._pieces = queue.Queue()
        self._collector = threading.Thread(target=self._collect, daemon=True)
        self._collector.start()

    def _collect(self):
        while data := os.read(self._source, 1024):
            self._pieces.put(data)

    def StreamStdio(self, request, context):
        while (data := self._pieces.get()) is not None:
            yield wire.MESSAGES["StdioData"](channel=wire.STDOUT, data=data)
        self._pieces.put(None)  # for the next caller

    def end(self):
        """Hand over what was printed so far, and end the streams."""
        sys.stdout.flush()
        os.dup2(2, 1)  # the last writer of the pipe is gone; late prints go to stderr
        self._collector.join(GRACE)  # bounded, because a child may hold the pipe
        self._pieces.put(None)


class Controller:
    """What a host does with the plugin itself: ask whether it is well, and stop it."""

    def __init__(self, stop):
        self._stop = stop

    def Shutdown(self, request, context):
        self._stop.set()
        return wire.MESSAGES["Empty"]()

    def Check(self, request, context):
        if request.service not in ("", "plugin", "grpctest.Test"):
            context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
        return wire.MESSAGES["HealthCheckResponse"](status=wire.SERVING)


def set_when_gone(host_end, stop):
    """Set stop when nobody can read the pipe host_end any more: the host has died."""
    poll = select.poll()
    poll.register(host_end, 0)  # an error is always reported
    poll.poll()
    stop.set()


def credentials():
    """Return the server's credentials and certificate (DER) if the host asks for mutual TLS, else None, None."""
    host = wire.take("PLUGIN_CLIENT_CERT").encode()
    if not host:
        return None, None
    import certificate  # needs python3-cryptography, which plugins without TLS do without

    certificate.pem_to_der(host)  # fails here, not at the first call, if that is no certificate
    key, pem = certificate.make()
    secured = grpc.ssl_server_credentials([(key, pem)], root_certificates=host, require_client_auth=True)
    return secured, certificate.pem_to_der(pem)


def add_port(server, target, secured):
    """Listen on target and return the port, 0 if that is not possible."""
    try:
        return server.add_secure_port(target, secured) if secured else server.add_insecure_port(target)
    except RuntimeError:
        return 0


def listen(server, folder, secured):
    """Listen where the host can connect, and return network and address for the handshake line."""
    if "unix" in (wire.take("PLUGIN_TRANSPORTS") or "unix").split(","):
        address = os.path.join(folder, "socket")
        if add_port(server, "unix:" + address, secured):
            return "unix", address
        raise OSError("cannot listen on " + address)
    first, last = int(wire.take("PLUGIN_MIN_PORT") or 0), int(wire.take("PLUGIN_MAX_PORT") or 0)
    for port in range(first, last + 1):
        if bound := add_port(server, f"127.0.0.1:{port}", secured):
            return "tcp", f"127.0.0.1:{bound}"
    raise OSError(f"no free port within {first} and {last}")


def new_server(stop, printed):
    """Return a gRPC server of all services of a plugin."""
    test, controller = Test(), Controller(stop)
    # Without so_reuseport=0 two plugins could listen on the same tcp port, and the host would meet either.
    server = grpc.server(
        concurrent.futures.ThreadPoolExecutor(max_workers=16), options=[("grpc.so_reuseport", 0)]
    )
    server.add_generic_rpc_handlers([
        wire.handler("grpctest.Test", {"Double": test.Double, "Stream": test.Stream, "PrintStdio": test.PrintStdio}),
        wire.handler("plugin.GRPCController", {"Shutdown": controller.Shutdown}),
        wire.handler("plugin.GRPCStdio", {"StreamStdio": printed.StreamStdio}),
        wire.handler("grpc.health.v1.Health", {"Check": controller.Check}),
    ])
    return server


def serve(folder, stop, printed):
    """Serve until stop is set."""
    secured, certificate = credentials()
    offered = [int(item) for item in wire.take("PLUGIN_PROTOCOL_VERSIONS").split(",") if item.isdecimal()]
    server = new_server(stop, printed)
    network, address = listen(server, folder, secured)
    server.start()
    line = wire.format_line(wire.negotiate(wire.VERSIONS, offered), network, address, certificate)
    os.write(printed.real, line.encode())
    threading.Thread(target=set_when_gone, args=(printed.real, stop), daemon=True).start()
    stop.wait()
    printed.end()
    server.stop(GRACE).wait()


def main():
    if wire.take(wire.COOKIE_KEY) != wire.COOKIE_VALUE:
        sys.exit("this is a plugin: a host program starts it")
    stop = threading.Event()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the host's business
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    folder = tempfile.mkdtemp(dir=wire.take("PLUGIN_UNIX_SOCKET_DIR") or None)  # private: mode 0700
    printed = Printed()
    try:
        serve(folder, stop, printed)
    except (OSError, ValueError) as error:
        sys.exit(f"cannot start the plugin: {error}")
    finally:
        printed.end()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
