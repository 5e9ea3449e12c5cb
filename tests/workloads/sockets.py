#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""sockets.py --seconds N: talks to servers of its own over TCP, UDP and Unix sockets, IPv4 and IPv6,
and prints as JSON what it did to each remote: {"pid", "server", "remotes": {REMOTE: {"read",
"write", "calls", "failed", "waited"}}}. REMOTE is as a recording has it. The servers are another
process. Waits until stdin has a line before it begins, and until stdin ends before it ends."""

import argparse
import collections
import ctypes
import json
import os
import select
import socket
import struct
import sys
import tempfile
import time

DELAY = 0.02  # seconds that a server takes for an answer
libc = ctypes.CDLL(None)


class Remote:
    def __init__(self):
        self.read = self.write = self.calls = self.failed = 0
        self.waited = 0.0

    def received(self, size):
        self.read += size
        self.calls += 1
        return size

    def sent(self, size):
        self.write += size
        self.calls += 1
        return size


def serve(listeners, datagrams):
    """Answers each request, 4 bytes of the answer's size, after a while."""
    poll = select.poll()
    by_number = {}
    for one in listeners + datagrams:
        by_number[one.fileno()] = one
        poll.register(one, select.POLLIN)
    while True:
        for number, _ in poll.poll():
            one = by_number[number]
            if one in listeners:
                accepted, _ = one.accept()
                by_number[accepted.fileno()] = accepted
                poll.register(accepted, select.POLLIN)
                continue
            request, sender = one.recvfrom(65536)
            if not request and one not in datagrams:
                poll.unregister(one)
                one.close()
                continue
            size = struct.unpack("<I", request[:4])[0]
            time.sleep(DELAY)
            if one in datagrams:
                one.sendto(b"d" * size, sender)
            else:
                one.sendall(b"s" * size)


def listen(family, address, kind=socket.SOCK_STREAM):
    one = socket.socket(family, kind)
    one.bind(address)
    if kind == socket.SOCK_STREAM:
        one.listen(8)
    return one


def name_of(protocol, address):
    if isinstance(address, str):
        return "%s %s" % (protocol, address)
    if isinstance(address, bytes):
        return "%s %s" % (protocol, address.decode().replace("\0", "@"))
    host = "[%s]" % address[0] if ":" in address[0] else address[0]
    return "%s %s:%d" % (protocol, host, address[1])


class Part(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]


class Message(ctypes.Structure):
    """struct mmsghdr, which begins with a struct msghdr; with its padding."""

    _fields_ = [
        ("name", ctypes.c_void_p), ("name_size", ctypes.c_uint), ("parts", ctypes.POINTER(Part)),
        ("part_count", ctypes.c_size_t), ("control", ctypes.c_void_p),
        ("control_size", ctypes.c_size_t), ("flags", ctypes.c_long), ("size", ctypes.c_long),
    ]


def internet_address(host, port):
    """struct sockaddr_in"""
    return ctypes.create_string_buffer(
        struct.pack("=H", socket.AF_INET) + struct.pack(">H", port) + socket.inet_aton(host)
        + bytes(8), 16)


def message_from(address, part):
    """A message with that room for its address and its bytes, and what must live as long."""
    parts = (Part * 1)(Part(ctypes.addressof(part), len(part)))
    message = Message(ctypes.addressof(address), len(address), parts, 1, None, 0, 0, 0)
    return message, (parts, address)


class Meter:
    """How long the thread was off the CPU without being ready to run."""

    def __init__(self):
        self.schedstat = os.open("/proc/self/schedstat", os.O_RDONLY)

    def look(self):
        cpu, queued = (int(word) for word in os.pread(self.schedstat, 100, 0).split()[:2])
        return time.perf_counter() - (cpu + queued) / 1e9


class Client:
    def __init__(self, end):
        self.meter = Meter()
        self.remotes = collections.defaultdict(Remote)
        self.end = end

    def exchange(self, remote, one, size, way):
        """One request and its answer; the waiting is from the request on."""
        request = struct.pack("<I", size) + b"r" * (size % 97)
        if way == "send":
            remote.sent(one.send(request))
        elif way == "message":
            remote.sent(one.sendmsg([request[:2], request[2:]]))
        else:
            remote.sent(os.write(one.fileno(), request))
        begin = self.meter.look()
        got = 0
        while got < size:
            if way == "send":
                got += remote.received(len(one.recv(65536)))
            elif way == "message":
                got += remote.received(len(one.recvmsg(65536)[0]))
            else:
                got += remote.received(len(os.read(one.fileno(), 65536)))
        remote.waited += self.meter.look() - begin

    def stream(self, family, address, way, name, poll=False):
        """poll: the socket has a time limit, so that Python polls it before each call."""
        remote = self.remotes[name]
        with socket.socket(family) as one:
            one.connect(address)
            remote.calls += 1
            if poll:
                one.settimeout(5)
            size = 100
            while time.perf_counter() < self.end:
                self.exchange(remote, one, size, way)
                size = size * 7 % 20011
        remote.calls += 1  # close

    def datagram(self, family, address, connected, name):
        remote = self.remotes[name]
        with socket.socket(family, socket.SOCK_DGRAM) as one:
            if connected:
                one.connect(address)
                remote.calls += 1
            size = 100
            while time.perf_counter() < self.end:
                request = struct.pack("<I", size)
                if connected:
                    self.exchange(remote, one, size, "send")
                else:
                    remote.sent(one.sendto(request, address))
                    # Who will answer is not known before.
                    own = self.remotes["udp 0.0.0.0:%d (own end)" % one.getsockname()[1]]
                    begin = self.meter.look()
                    remote.received(len(one.recvfrom(65536)[0]))
                    own.waited += self.meter.look() - begin
                size = size * 7 % 1409
            if not connected:
                own.calls += 1  # its close
        if connected:
            remote.calls += 1

    def refused(self, port):
        remote = self.remotes["tcp 127.0.0.1:%d" % port]
        for _ in range(5):
            with socket.socket() as one:
                try:
                    one.connect(("127.0.0.1", port))
                except ConnectionRefusedError:
                    remote.failed += 1
                remote.calls += 1
        self.remotes["tcp 0.0.0.0:0 (own end)"].calls += 5  # their closes


    def nobody_sends(self):
        """What the room for the sender's address held before is no remote."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.bind(("127.0.0.1", 0))
            remote = self.remotes["%s (own end)" % name_of("udp", one.getsockname())]
            other = internet_address("203.0.113.7", 46999)
            size = ctypes.c_uint(len(other))
            part = ctypes.create_string_buffer(16)
            for _ in range(6):
                libc.recvfrom(one.fileno(), part, 16, socket.MSG_DONTWAIT, other,
                              ctypes.byref(size))
            message, room = message_from(other, part)
            for _ in range(4):
                libc.recvmsg(one.fileno(), ctypes.byref(message), socket.MSG_DONTWAIT)
            del room
            remote.calls += 10
            remote.failed += 10
        remote.calls += 1  # close


    def unix_datagrams(self, address):
        """To a name that the call tells, from a socket that has none."""
        named, remote = name_of("unix", address), self.remotes[name_of("unix", address)]
        own, nameless = self.remotes[named + " (own end)"], self.remotes["unix unnamed"]
        one = listen(socket.AF_UNIX, address, socket.SOCK_DGRAM)
        with one, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
            for size in range(70, 75):
                remote.sent(other.sendto(bytes(size), address))
                own.received(len(one.recvfrom(1000)[0]))
            remote.sent(other.sendmsg([bytes(50)], [], 0, address))
            own.received(len(one.recvmsg(1000)[0]))
            other.connect(address)
            remote.calls += 1
            remote.sent(other.send(bytes(60)))
            own.received(len(one.recv(1000)))
        remote.calls += 1  # closes
        own.calls += 1
        with socket.socket(socket.AF_UNIX) as other:
            absent = address + (b"-absent" if isinstance(address, bytes) else "-absent")
            remote = self.remotes[name_of("unix", absent)]
            try:
                other.connect(absent)
            except OSError:
                remote.failed += 1
            remote.calls += 1
        nameless.calls += 1  # its close

    def to_many(self):
        """sendmmsg and recvmmsg, each message with another address or that of the one before."""
        ends = [listen(socket.AF_INET, ("127.0.0.1", 0), socket.SOCK_DGRAM) for _ in range(3)]
        names = [name_of("udp", end.getsockname()) for end in ends]
        rooms = [ctypes.create_string_buffer(size) for size in (100, 200, 300)]
        own = [self.remotes[name + " (own end)"] for name in names]
        others = [self.remotes[name] for name in names]

        def send(order):
            """From the last of the ends to the others; in what order."""
            made = [message_from(internet_address(*ends[to].getsockname()), rooms[to])
                    for to in order]
            messages = (Message * len(made))(*[message for message, _ in made])
            assert libc.sendmmsg(ends[2].fileno(), messages, len(made), 0) == len(made)
            for to in order:
                own[to].received(len(ends[to].recv(1000)))

        for _ in range(5):
            send([0, 1, 1])
            others[0].sent(100)
            others[1].sent(400)
        send([1] * 30)
        others[1].sent(30 * 200)
        send([0, 1] * 10)  # the last of 16 operations is on all that is left
        for one in range(15):
            others[one % 2].sent(100 + one % 2 * 100)
        own[2].sent(3 * 200 + 2 * 100)
        for end, size in ((0, 11), (1, 22), (1, 33)):
            others[2].sent(ends[end].sendto(bytes(size), ends[2].getsockname()))
        made = [message_from(internet_address("203.0.113.7", 46999), room) for room in rooms]
        messages = (Message * 3)(*[message for message, _ in made])
        assert libc.recvmmsg(ends[2].fileno(), messages, 3, 0, None) == 3
        others[0].received(11)
        others[1].received(55)
        for end, one in zip(ends, own):
            end.close()
            one.calls += 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--database-port", type=int, default=0)
    arguments = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="sockets.")
    path = os.path.join(folder, "service.sock")
    abstract = b"\0pipescope-test-%d" % os.getpid()
    tcp = listen(socket.AF_INET, ("127.0.0.1", arguments.database_port))
    mapped = socket.socket(socket.AF_INET6)
    mapped.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    mapped.bind(("::", 0))
    mapped.listen(8)
    tcp6 = listen(socket.AF_INET6, ("::1", 0))
    udp = listen(socket.AF_INET, ("127.0.0.1", 0), socket.SOCK_DGRAM)
    udp6 = listen(socket.AF_INET6, ("::1", 0), socket.SOCK_DGRAM)
    unix = listen(socket.AF_UNIX, path)
    hidden = listen(socket.AF_UNIX, abstract)
    closed = listen(socket.AF_INET, ("127.0.0.1", 0))
    closed_port = closed.getsockname()[1]
    closed.close()
    server = os.fork()
    if not server:
        serve([tcp, mapped, tcp6, unix, hidden], [udp, udp6])
    print("ready", flush=True)
    if not sys.stdin.readline():
        return 1
    begin = time.perf_counter()
    ways = [
        (lambda c, n: c.stream(socket.AF_INET, tcp.getsockname(), "send", n),
         name_of("tcp", tcp.getsockname())),
        (lambda c, n: c.stream(socket.AF_INET, tcp.getsockname(), "message", n, True),
         name_of("tcp", tcp.getsockname())),
        (lambda c, n: c.stream(socket.AF_INET6, ("::ffff:127.0.0.1", mapped.getsockname()[1]),
                               "write", n),
         "tcp 127.0.0.1:%d" % mapped.getsockname()[1]),
        (lambda c, n: c.stream(socket.AF_INET6, tcp6.getsockname(), "message", n),
         name_of("tcp", tcp6.getsockname())),
        (lambda c, n: c.datagram(socket.AF_INET, udp.getsockname(), False, n),
         name_of("udp", udp.getsockname())),
        (lambda c, n: c.datagram(socket.AF_INET6, udp6.getsockname(), True, n),
         name_of("udp", udp6.getsockname())),
        (lambda c, n: c.stream(socket.AF_UNIX, path, "write", n), name_of("unix", path)),
        (lambda c, n: c.stream(socket.AF_UNIX, abstract, "send", n), name_of("unix", abstract)),
    ]
    client = Client(0)
    for i, (way, name) in enumerate(ways):
        client.end = begin + arguments.seconds * (i + 1) / len(ways)
        way(client, name)
    client.refused(closed_port)
    client.nobody_sends()
    client.to_many()
    client.unix_datagrams(path + ".datagrams")
    client.unix_datagrams(abstract + b"-datagrams")
    print(
        json.dumps(
            {
                "pid": os.getpid(),
                "server": server,
                "database": name_of("tcp", tcp.getsockname()),
                "remotes": {name: vars(remote) for name, remote in client.remotes.items()},
            }
        ),
        flush=True,
    )
    sys.stdin.read()
    os.kill(server, 15)
    os.waitpid(server, 0)
    os.unlink(path)
    os.unlink(path + ".datagrams")
    os.rmdir(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
