#!/usr/bin/env python3
"""A plugin in Python: it serves interop.Peer to a host that speaks go-plugin's protocol."""

import datetime
import json
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
from connection import Broker, Callback, Mutual, Place, Plain, ask, new_server

GRACE = 0.5  # seconds for calls in flight once the plugin stops; a host kills it after two


class Peer:
    """The service that this plugin is for, of one protocol version."""

    def __init__(self, version, broker):
        self._version, self._broker = version, broker

    def Double(self, request, context):
        return wire.number(2 * request.value)

    def Served(self, request, context):
        return wire.number(self._version)

    def Print(self, request, context):
        for stream in sys.stdout, sys.stderr:
            stream.write(request.value)
            stream.flush()
        return wire.EMPTY

    def Log(self, request, context):
        log("warn", "a record of the plugin", answer=42, name="Ada")
        return wire.EMPTY

    def CallBack(self, request, context):
        return wire.text(ask(self._broker.dial(request.value), "plugin"))

    def Offer(self, request, context):
        return wire.number(self._broker.accept("interop.Callback", Callback()))

    def Count(self, request, context):
        yield from map(wire.number, range(request.value))

    def Sum(self, requests, context):
        return wire.number(sum(request.value for request in requests))

    def Stream(self, requests, context):
        for request in requests:
            yield self.Double(request, context)

    def Hang(self, request, context):
        yield wire.number(0)
        threading.Event().wait()


def log(level, message, **pairs):
    """Write a record as hosts read them: one JSON object on a line of stderr."""
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    print(json.dumps({"@level": level, "@message": message, "@timestamp": now, **pairs}), file=sys.stderr, flush=True)


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
        return wire.EMPTY

    def Check(self, request, context):
        if request.service not in ("", "plugin", "interop.Peer"):
            context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
        return wire.MESSAGES["HealthCheckResponse"](status=wire.SERVING)


def set_when_gone(host_end, stop):
    """Set stop when nobody can read the pipe host_end any more: the host has died."""
    poll = select.poll()
    poll.register(host_end, 0)  # an error is always reported
    poll.poll()
    stop.set()



def security():
    """Return how this plugin connects, and its certificate (DER) if the host asks for mutual TLS, else None."""
    host = wire.take("PLUGIN_CLIENT_CERT").encode()
    if not host:
        return Plain(), None
    import certificate  # needs python3-cryptography, which plugins without TLS do without

    certificate.pem_to_der(host)  # fails here, not at the first call, if that is no certificate
    key, pem = certificate.make()
    return Mutual(key, pem, host), certificate.pem_to_der(pem)


def place(folder):
    """Return where the host can connect."""
    ports = [int(wire.take(name) or 0) for name in ("PLUGIN_MIN_PORT", "PLUGIN_MAX_PORT")]
    return Place(folder, None if "unix" in (wire.take("PLUGIN_TRANSPORTS") or "unix").split(",") else ports)


def new_plugin(version, stop, printed, broker):
    """Return a gRPC server of all services of a plugin."""
    server = new_server(16)
    controller = Controller(stop)
    server.add_generic_rpc_handlers([
        wire.handler("interop.Peer", Peer(version, broker)),
        wire.handler("plugin.GRPCController", controller),
        wire.handler("plugin.GRPCStdio", printed),
        wire.handler("plugin.GRPCBroker", broker),
        wire.handler("grpc.health.v1.Health", controller),
    ])
    return server


def serve(folder, stop, printed):
    """Serve until stop is set."""
    secured, certificate = security()
    offered = [int(item) for item in wire.take("PLUGIN_PROTOCOL_VERSIONS").split(",") if item.isdecimal()]
    version = wire.negotiate(wire.VERSIONS, offered)
    where = place(folder)
    broker = Broker(where, secured)
    server = new_plugin(version, stop, printed, broker)
    network, address = where.listen(server, secured)
    server.start()
    os.write(printed.real, wire.format_line(version, network, address, certificate).encode())
    threading.Thread(target=set_when_gone, args=(printed.real, stop), daemon=True).start()
    stop.wait()
    printed.end()
    broker.close()
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
    sys.stderr.flush()
    os._exit(0)  # at once: a call that hangs would hold up the interpreter's own end for ever


if __name__ == "__main__":
    main()
