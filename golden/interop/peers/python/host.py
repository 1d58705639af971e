#!/usr/bin/env python3
"""A host in Python: it starts a plugin that speaks go-plugin's protocol, uses grpctest.Test, and stops it.

Usage: host.py [--tcp] [--tls] PLUGIN [ARGUMENT...]

It prints what came of it as one JSON object.
"""

import argparse
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

import grpc

import wire

START, CALL, STOP = 30, 30, 10  # seconds before something counts as hung
PORTS = 10000, 25000


class Plugin:
    """A running plugin."""

    def __init__(self, command, tls=False, tcp=False):
        self._folder = tempfile.mkdtemp()  # private: mode 0700
        self._key = self._pem = None
        self._process = subprocess.Popen(
            command, env=self._environment(tls, tcp), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True
        )
        self.pid = self._process.pid
        self._channel = None
        try:
            self.version, target, certificate = self._read_line()
            self._channel = self._connect(target, certificate)
            grpc.channel_ready_future(self._channel).result(START)
        except BaseException:
            self.kill()
            raise
        self.printed = queue.Queue()
        self._stdio = threading.Thread(target=self._read_stdio)
        self._stdio.start()

    def _environment(self, tls, tcp):
        # A PLUGIN_ variable that some other host set for us is not for our plugin.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PLUGIN_")}
        env = inherited | {
            wire.COOKIE_KEY: wire.COOKIE_VALUE,
            "PLUGIN_PROTOCOL_VERSIONS": ",".join(map(str, wire.VERSIONS)),
            "PLUGIN_TRANSPORTS": "tcp" if tcp else "unix",
            "PLUGIN_MIN_PORT": str(PORTS[0]),
            "PLUGIN_MAX_PORT": str(PORTS[1]),
            "PLUGIN_UNIX_SOCKET_DIR": self._folder,
        }
        if tls:
            import certificate  # needs python3-cryptography

            self._key, self._pem = certificate.make()
            env["PLUGIN_CLIENT_CERT"] = self._pem.decode()
        return env

    def _read_line(self):
        """Return version, target and certificate from the handshake line."""
        found = queue.Queue()
        threading.Thread(target=self._drain, args=(found,), daemon=True).start()
        try:
            response = found.get(timeout=START)
        except queue.Empty:
            raise TimeoutError("the plugin printed no handshake line in time") from None
        if response is None:
            raise EOFError("the plugin ended without a handshake line")
        if response[0] not in wire.VERSIONS:
            raise ValueError(f"the plugin speaks version {response[0]}, this host {wire.VERSIONS}")
        return response

    def _drain(self, found):
        """Read the plugin's stdout for as long as it lives: a full pipe would block it."""
        waiting = True
        for line in self._process.stdout:
            response = wire.parse_line(line.decode(errors="replace")) if waiting else None
            if response:
                waiting = False
                found.put(response)
        if waiting:
            found.put(None)

    def _connect(self, target, certificate):
        # What host and plugin asked of each other must agree: TLS that is missing or that nobody asked for ends it here.
        if (certificate is None) != (self._key is None):
            raise ValueError("TLS: " + ("the plugin has no certificate" if certificate is None else "nobody asked for a certificate"))
        options = [("grpc.default_authority", "localhost"), ("grpc.enable_http_proxy", 0)]
        if certificate is None:
            return grpc.insecure_channel(target, options)
        from certificate import der_to_pem

        secured = grpc.ssl_channel_credentials(der_to_pem(certificate), self._key, self._pem)
        return grpc.secure_channel(target, secured, options + [("grpc.ssl_target_name_override", "localhost")])

    def _read_stdio(self):
        try:
            for piece in self.call("plugin.GRPCStdio", "StreamStdio")(wire.MESSAGES["Empty"]()):
                self.printed.put((piece.channel, piece.data))
        except grpc.RpcError as error:  # Unimplemented: it has no such service. Unavailable: it has ended
            if error.code() not in (grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):
                print(f"the plugin's prints can no longer be read: {error}", file=sys.stderr)
        self.printed.put(None)

    def call(self, service, method):
        return wire.call(self._channel, service, method)

    def ping(self):
        return self.call("grpc.health.v1.Health", "Check")(wire.MESSAGES["HealthCheckRequest"](service="plugin"), timeout=CALL).status

    def close(self):
        """Ask the plugin to end, and insist; return its exit code."""
        try:
            self.call("plugin.GRPCController", "Shutdown")(wire.MESSAGES["Empty"](), timeout=STOP)
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.UNAVAILABLE:  # that is a plugin which has ended before it answered
                self._signal(signal.SIGTERM)
        try:
            self._process.wait(STOP)
        except subprocess.TimeoutExpired:
            pass
        code = self._process.poll()
        self.kill()
        self._stdio.join()
        return code

    def kill(self):
        """End the plugin and its children, and remove what is left."""
        self._signal(signal.SIGKILL)
        self._process.wait()
        if self._channel:
            self._channel.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _signal(self, number):
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            pass


def printed_line(plugin):
    """Have the plugin print a line, and wait until it arrives."""
    plugin.call("grpctest.Test", "PrintStdio")(wire.MESSAGES["PrintStdioRequest"](stdout=b"to stdout\n"), timeout=CALL)
    text = b""
    while not text.endswith(b"\n"):
        piece = plugin.printed.get(timeout=CALL)
        if piece is None:
            break
        text += piece[1]
    return text.decode()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tcp", action="store_true")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="PLUGIN [ARGUMENT...]")
    args = parser.parse_args()
    request = wire.MESSAGES["TestRequest"]

    plugin = Plugin(args.command, tls=args.tls, tcp=args.tcp)
    report = {"pid": plugin.pid, "version": plugin.version}
    try:
        report["ping"] = plugin.ping()
        report["double"] = plugin.call("grpctest.Test", "Double")(request(input=21), timeout=CALL).output
        answers = plugin.call("grpctest.Test", "Stream")((request(input=i) for i in range(10)), timeout=CALL)
        report["stream"] = [answer.output for answer in answers]
        report["stdout"] = printed_line(plugin)
    finally:
        report["exit"] = plugin.close()
    print(json.dumps(report))


if __name__ == "__main__":
    main()
