# SPDX-License-Identifier: Apache-2.0
"""Sockets: one thread a connection, HTTP/1.1 with keep-alive; and the manners that happen while a body is sent."""

import os
import select
import socket
import struct
import threading
import time
from http import HTTPStatus

HEAD_LIMIT = 64 * 1024
BODY_LIMIT = 16 * 1024 * 1024
PIECE = 8 * 1024 * 1024


class Gone(Exception):
    """The connection is over: the client left, or a rule ended it."""


class Request:
    def __init__(self, head, body):
        self.head = head
        self.body = body
        lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, version = lines[0].split(" ")
        self.keep = version == "HTTP/1.1"
        self.headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.headers[name.strip().lower()] = value.strip()
        if self.headers.get("connection", "").lower() == "close":
            self.keep = False


class Stalls:
    """Those who stand still. Each waits on an eventfd of its own and on its client."""

    def __init__(self):
        self.lock = threading.Lock()
        self.waiting = {}

    def wait(self, sock, entry):
        """Returns when released; Gone when the client left, or when the release drops it."""
        event = os.eventfd(0, os.EFD_CLOEXEC)
        state = {"entry": entry, "event": event, "drop": False}
        poll = select.poll()
        poll.register(event, select.POLLIN)
        poll.register(sock, select.POLLRDHUP)
        with self.lock:
            self.waiting[event] = state
        try:
            ready = poll.poll()
            if state["drop"] or not any(fd == event for fd, _ in ready):
                raise Gone
        finally:
            with self.lock:
                del self.waiting[event]
                os.close(event)

    def count(self, wanted=None):
        with self.lock:
            return sum(1 for s in self.waiting.values() if wanted is None or wanted(s["entry"]))

    def release(self, drop=False):
        with self.lock:
            for state in self.waiting.values():
                state["drop"] = drop
                os.eventfd_write(state["event"], 1)
            return len(self.waiting)


class Pace:
    """So many bytes a second (0: no limit). Time that was not used is no credit."""

    def __init__(self, rate):
        self.rate = rate
        self.due = time.monotonic()

    def piece(self):
        return max(int(self.rate) // 50, 1) if self.rate else PIECE

    def add(self, count):
        if not self.rate:
            return
        now = time.monotonic()
        self.due = max(self.due, now - 0.02) + count / self.rate
        if self.due > now:
            time.sleep(self.due - now)


class Connection:
    """One accepted socket. `rate` is the connection's own limit in bytes a second, 0 for none."""

    def __init__(self, sock, number, rate, stalls):
        self.sock = sock
        self.number = number
        self.pace = Pace(rate)
        self.stalls = stalls
        self.pending = b""

    def receive(self):
        data = self.sock.recv(65536)
        if not data:
            raise Gone
        self.pending += data

    def read_request(self):
        while b"\r\n\r\n" not in self.pending:
            if len(self.pending) > HEAD_LIMIT:
                raise Gone
            self.receive()
        head, _, self.pending = self.pending.partition(b"\r\n\r\n")
        request = Request(head, b"")
        length = int(request.headers.get("content-length", "0"))
        if length > BODY_LIMIT:
            raise Gone
        while len(self.pending) < length:
            self.receive()
        request.body, self.pending = self.pending[:length], self.pending[length:]
        return request

    def end(self, how):
        if how == "rst":
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Gone

    def send(self, request, answer, action, entry):
        """Sends the answer; Gone when the connection cannot be used after it."""
        if "stall_headers" in action:
            self.stalls.wait(self.sock, entry)
        chunked = bool(action.get("chunked"))
        bodyless = request.method == "HEAD" or answer.status in (204, 304)
        keep = request.keep and not answer.close
        self.send_head(answer, chunked, keep, bodyless)
        if not bodyless:
            self.send_body(answer, action, entry, chunked)
        if not keep:
            raise Gone

    def send_head(self, answer, chunked, keep, bodyless):
        try:
            phrase = HTTPStatus(answer.status).phrase
        except ValueError:
            phrase = "Unknown"
        lines = [f"HTTP/1.1 {answer.status} {phrase}"]
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        named = {name.lower() for name in answer.headers}
        if chunked:
            lines.append("Transfer-Encoding: chunked")
        elif "content-length" not in named and answer.status != 304:
            lines.append(f"Content-Length: {answer.length}")
        lines.append("Connection: " + ("keep-alive" if keep else "close"))
        more = 0 if bodyless or not answer.length else socket.MSG_MORE
        self.send_all("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n", more)

    def send_all(self, data, flags=0):
        while data:
            data = data[self.sock.send(data, flags):]

    def send_body(self, answer, action, entry, chunked):
        events = sorted((action[name], name) for name in ("stall", "cut") if name in action)
        pace = Pace(action["drip"]) if "drip" in action else self.pace
        position = 0
        for segment in answer.segments:
            offset = 0
            while offset < segment.length:
                position_end = events[0][0] if events else position + PIECE
                if position >= position_end:
                    self.event(events.pop(0)[1], action, entry)
                    continue
                count = min(segment.length - offset, position_end - position, pace.piece())
                sent = self.send_piece(segment, offset, count, chunked)
                entry.add_sent(sent)
                pace.add(sent)
                offset += sent
                position += sent
        for _, name in events:
            self.event(name, action, entry)
        if chunked:
            self.send_all(b"0\r\n\r\n")

    def send_piece(self, segment, offset, count, chunked):
        if not chunked:
            sent = segment.write(self.sock, offset, count)
            if sent == 0:
                raise Gone
            return sent
        self.send_all(f"{count:x}\r\n".encode())
        left = count
        while left:
            left -= segment.write(self.sock, offset + count - left, left)
        self.send_all(b"\r\n")
        return count

    def event(self, name, action, entry):
        # what was sent so far must really leave: MSG_MORE of the head may still hold it back
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if name == "cut":
            self.end(action.get("how", "fin"))
        self.stalls.wait(self.sock, entry)


class Listener:
    """Accepts on host:port (0: any) and calls serve(connection) on a thread for each connection."""

    def __init__(self, host, port, serve, rate=0, stalls=None):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind((host, port))
        self.sock.listen(1024)
        self.port = self.sock.getsockname()[1]
        self.serve = serve
        self.rate = rate
        self.stalls = stalls
        self.accepted = 0

    def start(self):
        threading.Thread(target=self.accept_all, daemon=True).start()

    def accept_all(self):
        while True:
            sock, _ = self.sock.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # small, so that little counts as sent that a client which leaves never got
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 512 * 1024)
            self.accepted += 1
            connection = Connection(sock, self.accepted, self.rate, self.stalls)
            threading.Thread(target=self.run, args=(connection,), daemon=True).start()

    def run(self, connection):
        try:
            while True:
                self.serve(connection, connection.read_request())
        except (Gone, OSError, ValueError):
            pass
        finally:
            connection.sock.close()
