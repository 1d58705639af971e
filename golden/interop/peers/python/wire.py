"""What a host and its plugin say to each other: the handshake line, the environment, and the messages."""

import base64
import os

import grpc
from google.protobuf import descriptor_pb2, message_factory

# What this contract's hosts and plugins agree on.
COOKIE_KEY, COOKIE_VALUE = "INTEROP_MAGIC_COOKIE", "8f0a2d1c"
VERSIONS = [2, 3]

CORE_VERSION = 1
MIN_CERTIFICATE = 51  # characters; old plugins put other things into the certificate's field


def format_line(version, network, address, certificate=None):
    """Return the handshake line, which a plugin prints first of all. The certificate is DER."""
    encoded = base64.b64encode(certificate or b"").decode().rstrip("=")
    return f"{CORE_VERSION}|{version}|{network}|{address}|grpc|{encoded}\n"


def parse_line(line):
    """Return version, network, address and certificate (DER or None) of a handshake line; None if it is another line."""
    fields = line.strip().split("|")
    if len(fields) not in (6, 7) or fields[0] != str(CORE_VERSION) or not fields[1].isdecimal():
        return None
    version, network, address, protocol, encoded = fields[1:6]
    if network not in ("unix", "tcp") or not address or protocol != "grpc":
        return None
    certificate = None
    if len(encoded) >= MIN_CERTIFICATE:
        certificate = base64.b64decode(encoded + "=" * (-len(encoded) % 4))
    return int(version), network, address, certificate


def negotiate(served, offered):
    """Return the highest version in common, else the lowest served: then the host is the one to object."""
    return max(set(served) & set(offered), default=min(served))


def take(name):
    """Return a variable that the host set, and unset it: it is not for programs that this one starts."""
    return os.environ.pop(name, "")


def _messages():
    """Build the message classes. Only the numbers of fields travel, so no name here must match anything."""
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="peer.proto", package="peer", syntax="proto3")
    for name, fields in {
        "Empty": [],
        "Number": [("value", 1, field.TYPE_INT32)],
        "Text": [("value", 1, field.TYPE_STRING)],
        "StdioData": [("channel", 1, field.TYPE_INT32), ("data", 2, field.TYPE_BYTES)],
        "ConnInfo": [("service_id", 1, field.TYPE_UINT32), ("network", 2, field.TYPE_STRING), ("address", 3, field.TYPE_STRING)],
        "HealthCheckRequest": [("service", 1, field.TYPE_STRING)],
        "HealthCheckResponse": [("status", 1, field.TYPE_INT32)],
    }.items():
        message = file.message_type.add(name=name)
        for field_name, number, kind in fields:
            message.field.add(name=field_name, number=number, type=kind, label=field.LABEL_OPTIONAL)
    classes = message_factory.GetMessages([file])
    return {full_name.removeprefix("peer."): cls for full_name, cls in classes.items()}


MESSAGES = _messages()
STDOUT, STDERR = 1, 2  # StdioData.channel
SERVING = 1  # HealthCheckResponse.status


def number(value):
    return MESSAGES["Number"](value=value)


def text(value):
    return MESSAGES["Text"](value=value)


EMPTY = MESSAGES["Empty"]()

# Service, method: what is sent, what comes back; a star marks a stream.
METHODS = {
    ("interop.Peer", "Double"): ("Number", "Number"),
    ("interop.Peer", "Served"): ("Empty", "Number"),
    ("interop.Peer", "Print"): ("Text", "Empty"),
    ("interop.Peer", "Log"): ("Empty", "Empty"),
    ("interop.Peer", "CallBack"): ("Number", "Text"),
    ("interop.Peer", "Offer"): ("Empty", "Number"),
    ("interop.Peer", "Count"): ("Number", "*Number"),
    ("interop.Peer", "Sum"): ("*Number", "Number"),
    ("interop.Peer", "Stream"): ("*Number", "*Number"),
    ("interop.Peer", "Hang"): ("Empty", "*Number"),
    ("interop.Callback", "Ask"): ("Text", "Text"),
    ("plugin.GRPCController", "Shutdown"): ("Empty", "Empty"),
    ("plugin.GRPCStdio", "StreamStdio"): ("Empty", "*StdioData"),
    ("plugin.GRPCBroker", "StartStream"): ("*ConnInfo", "*ConnInfo"),
    ("grpc.health.v1.Health", "Check"): ("HealthCheckRequest", "HealthCheckResponse"),
}


def _shape(service, method):
    """Return the method's request class, response class, and gRPC's name for its kind, such as unary_stream."""
    asked, answered = METHODS[service, method]
    kind = "_".join("stream" if name.startswith("*") else "unary" for name in (asked, answered))
    return MESSAGES[asked.strip("*")], MESSAGES[answered.strip("*")], kind


def handler(service, implementation):
    """Return what a gRPC server needs to serve the methods of service that implementation has."""
    handlers = {}
    for named, name in METHODS:
        if named == service:
            request, response, kind = _shape(service, name)
            make = getattr(grpc, kind + "_rpc_method_handler")
            handlers[name] = make(getattr(implementation, name), request.FromString, response.SerializeToString)
    return grpc.method_handlers_generic_handler(service, handlers)


def call(channel, service, method):
    """Return a function that calls a method of the service at the other end of channel."""
    request, response, kind = _shape(service, method)
    return getattr(channel, kind)(f"/{service}/{method}", request.SerializeToString, response.FromString)
