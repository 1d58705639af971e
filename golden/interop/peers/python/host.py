#!/usr/bin/env python3
"""A host in Python: it starts a plugin that speaks go-plugin's protocol, uses interop.Peer, and stops it.

Usage: host.py [--tcp] [--tls] [--broker] [--versions N,N] [--job JOB] PLUGIN [ARGUMENT...]

It prints what it has seen as one JSON object.
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
from connection import Broker, Callback, Mutual, Place, Plain, ask, target

START, CALL = 30, 30  # seconds before something counts as hung
PORTS = 10000, 25000
PRINTED = "printed by the plugin\n"


class Refused(Exception):
    """Why a plugin is not used."""


class Lines:
    """What is read from a plugin, for those who wait for some of it."""

    def __init__(self):
        self._text = ""
        self._more = threading.Condition()

    def add(self, text):
        with self._more:
            self._text += text
            self._more.notify_all()

    def wait_for(self, text):
        """Return everything so far, once text is in it."""
        with self._more:
            if not self._more.wait_for(lambda: text in self._text, CALL):
                raise TimeoutError(f"{text!r} did not arrive; got {self._text!r}")
            return self._text


class Plugin:
    """A running plugin."""

    def __init__(self, command, versions, tls=False, tcp=False):
        self._versions = versions
        self._folder = tempfile.mkdtemp()  # private: mode 0700
        self._ports = PORTS if tcp else None
        self._key = self._pem = self._channel = self.broker = None
        self._threads = []
        self.stdout, self.stderr = Lines(), Lines()
        self.by_stdio = ""  # of what is in stderr
        self._process = subprocess.Popen(
            command, env=self._environment(tls, tcp), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )
        self.pid = self._process.pid
        try:
            self._start(self._read_stderr)
            self.version, self.network, address, certificate = self._read_line()
            self._security = self._secure(certificate)
            self._channel = self._security.channel(target(self.network, address))
            grpc.channel_ready_future(self._channel).result(START)
        except BaseException:
            self.kill()
            raise
        self._start(self._read_stdio)

    def _start(self, function, *args):
        thread = threading.Thread(target=function, args=args)
        thread.start()
        self._threads.append(thread)

    def _environment(self, tls, tcp):
        # A PLUGIN_ variable that some other host set for us is not for our plugin.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PLUGIN_")}
        env = inherited | {
            wire.COOKIE_KEY: wire.COOKIE_VALUE,
            "PLUGIN_PROTOCOL_VERSIONS": ",".join(map(str, self._versions)),
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
        """Return version, network, address and certificate from the handshake line."""
        found = queue.Queue()
        self._start(self._drain, found)
        try:
            response = found.get(timeout=START)
        except queue.Empty:
            raise Refused("the plugin printed no handshake line in time") from None
        if response is None:
            raise Refused("the plugin ended without a handshake line")
        if response[0] not in self._versions:
            raise Refused(f"the plugin speaks version {response[0]}, this host {self._versions}")
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

    def _secure(self, certificate):
        # What host and plugin asked of each other must agree: TLS that is missing or that nobody asked for ends it here.
        if (certificate is None) != (self._key is None):
            raise Refused("TLS: " + ("the plugin has no certificate" if certificate is None else "nobody asked for a certificate"))
        if certificate is None:
            return Plain()
        from certificate import der_to_pem

        return Mutual(self._key, self._pem, der_to_pem(certificate))

    @property
    def tls(self):
        return isinstance(self._security, Mutual)

    def _read_stderr(self):
        for line in self._process.stderr:
            self.stderr.add(line.decode(errors="replace"))

    def _read_stdio(self):
        try:
            for piece in self.call("plugin.GRPCStdio", "StreamStdio")(wire.EMPTY):
                text = piece.data.decode(errors="replace")
                if piece.channel == wire.STDOUT:
                    self.stdout.add(text)
                else:
                    self.by_stdio += text
                    self.stderr.add(text)
        except grpc.RpcError as error:  # Unimplemented: it has no such service. Unavailable: it has ended
            if error.code() not in (grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):
                print(f"the plugin's prints can no longer be read: {error}", file=sys.stderr)

    def open_broker(self):
        """Let both sides make further connections."""
        self.broker = Broker(Place(self._folder, self._ports), self._security)
        self._start(self.broker.run, self._channel)

    def call(self, service, method):
        return wire.call(self._channel, service, method)

    def ask(self, method, request=wire.EMPTY):
        """Make a call that is answered once."""
        return self.call("interop.Peer", method)(request, timeout=CALL)

    def ping(self):
        return self.call("grpc.health.v1.Health", "Check")(wire.MESSAGES["HealthCheckRequest"](service="plugin"), timeout=CALL).status

    def close(self, patience):
        """Ask the plugin to end, and insist; return its exit code, None if it had to be killed."""
        try:
            self.call("plugin.GRPCController", "Shutdown")(wire.EMPTY, timeout=patience)
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.UNAVAILABLE:  # that is a plugin which has ended before it answered
                self.signal(signal.SIGTERM)
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            pass
        code = self._process.poll()
        self.kill()
        return code

    def kill(self):
        """End the plugin and its children, and remove what is left."""
        self.signal(signal.SIGKILL)
        self._process.wait()
        if self.broker:
            self.broker.close()
        if self._channel:
            self._channel.close()
        for thread in self._threads:
            thread.join()
        shutil.rmtree(self._folder, ignore_errors=True)

    def signal(self, number):
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            pass


def record(plugin):
    """Have the plugin log something, and return the record as it arrives."""
    plugin.ask("Log")
    message = "a record of the plugin"
    for line in plugin.stderr.wait_for(message).splitlines():
        if line.startswith("{") and json.loads(line).get("@message") == message:
            fields = json.loads(line)
            return {"level": fields["@level"], "answer": str(fields["answer"]), "name": fields["name"]}
    return {}


def everything(plugin, report):
    report["double"] = plugin.ask("Double", wire.number(21)).value
    report["count"] = [answer.value for answer in plugin.ask("Count", wire.number(5))]
    report["sum"] = plugin.ask("Sum", map(wire.number, range(10))).value
    report["stream"] = [answer.value for answer in plugin.ask("Stream", map(wire.number, range(5)))]
    plugin.ask("Print", wire.text(PRINTED))
    report["stdout"] = plugin.stdout.wait_for(PRINTED)
    plugin.stderr.wait_for(PRINTED.strip())
    report["stderr"], report["logged"] = PRINTED, PRINTED not in plugin.by_stdio
    report["log"] = record(plugin)
    if plugin.broker:
        number = plugin.broker.accept("interop.Callback", Callback())
        report["callback"] = plugin.ask("CallBack", wire.number(number)).value
        report["offer"] = ask(plugin.broker.dial(plugin.ask("Offer").value), "host")


def run(args):
    """Return what has been seen."""
    try:
        plugin = Plugin(args.command, args.versions, tls=args.tls, tcp=args.tcp)
    except Refused as error:
        return {"error": str(error)}
    report = {"pid": plugin.pid, "version": plugin.version, "network": plugin.network, "tls": plugin.tls}
    patience = 10  # seconds
    try:
        report["ping"] = plugin.ping() == wire.SERVING
        report["served"] = plugin.ask("Served").value
        if args.broker:
            plugin.open_broker()
        if args.job == "everything":
            everything(plugin, report)
        elif args.job == "hang-call":
            next(plugin.ask("Hang"))
        elif args.job == "hang-process":
            plugin.signal(signal.SIGSTOP)
            os.waitid(os.P_PID, plugin.pid, os.WSTOPPED | os.WNOWAIT)  # it takes a moment
            patience = 0.2
    finally:
        report["exit"] = plugin.close(patience)
    return report


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tcp", action="store_true")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--broker", action="store_true")
    parser.add_argument("--versions", default=[3], type=lambda text: list(map(int, text.split(","))))
    parser.add_argument("--job", default="everything")
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="PLUGIN [ARGUMENT...]")
    print(json.dumps(run(parser.parse_args())))


if __name__ == "__main__":
    main()
