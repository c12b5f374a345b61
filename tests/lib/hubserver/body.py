# SPDX-License-Identifier: Apache-2.0
"""An answer, and a body as a list of segments: bytes in memory, a range of a file, or bytes made as they are sent."""

import gzip
import json
import os


class Segment:
    """`length` bytes. `write(sock, offset, count)` sends at most count of them and returns how many it sent."""

    def __init__(self, length):
        self.length = length

    def cut(self, start, end):
        raise NotImplementedError


class Memory(Segment):
    def __init__(self, data):
        super().__init__(len(data))
        self.data = data

    def write(self, sock, offset, count):
        return sock.send(memoryview(self.data)[offset:offset + count])

    def cut(self, start, end):
        return Memory(self.data[start:end])

    def read(self):
        return self.data


class FileRange(Segment):
    """The descriptor is the answer's; it is closed when the answer was sent."""

    def __init__(self, descriptor, start, length):
        super().__init__(length)
        self.descriptor = descriptor
        self.start = start

    def write(self, sock, offset, count):
        return os.sendfile(sock.fileno(), self.descriptor, self.start + offset, count)

    def cut(self, start, end):
        return FileRange(self.descriptor, self.start + start, end - start)

    def read(self):
        return os.pread(self.descriptor, self.length, self.start)


class Repeated(Segment):
    """A page of tree entries of any size, in bounded memory."""

    def __init__(self, length):
        entry = '{"type":"file","oid":"%s","size":1,"path":"f%%09d"},' % ("0" * 40)
        whole = len(entry % 0)
        super().__init__(max(length // whole, 1) * whole)
        self.block = b"".join((entry % n).encode() for n in range(4096))

    def write(self, sock, offset, count):
        within = offset % len(self.block)
        return sock.send(memoryview(self.block)[within:within + count])

    def cut(self, start, end):
        raise ValueError("generated bodies cannot be cut; use truncate on another")

    def read(self):
        raise ValueError("generated bodies are not read")


class Answer:
    """Status, headers (in order, names as sent) and body. `start` is the place of the body's first byte in its file,
    None when the body is not a file's."""

    def __init__(self, status, headers=None, body=b"", start=None):
        self.status = status
        self.headers = dict(headers or {})
        self.segments = [body if isinstance(body, Segment) else Memory(body)] if body else []
        self.start = start
        self.close = False
        self.descriptors = []

    @property
    def length(self):
        return sum(segment.length for segment in self.segments)

    def slice(self, start, end):
        """The body from start to end (relative to it) as a new list of segments."""
        result, at = [], 0
        for segment in self.segments:
            low, high = max(start - at, 0), min(end - at, segment.length)
            if low < high:
                result.append(segment if (low, high) == (0, segment.length) else segment.cut(low, high))
            at += segment.length
        return result

    def done(self):
        for descriptor in self.descriptors:
            os.close(descriptor)
        self.descriptors = []


def file_answer(status, headers, path, start, length):
    answer = Answer(status, headers, start=start)
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    answer.descriptors.append(descriptor)
    if length:
        answer.segments.append(FileRange(descriptor, start, length))
    return answer


def json_answer(value, status=200, headers=None):
    body = (json.dumps(value) + "\n").encode()
    return Answer(status, {"Content-Type": "application/json; charset=utf-8", **(headers or {})}, body)


def text_answer(text, status=200, headers=None):
    return Answer(status, {"Content-Type": "text/plain; charset=utf-8", **(headers or {})}, text.encode())


# ---------------------------------------------------------------------------------------------------------------------
# what rules do to an answer before it is sent; cut, stall and drip happen while it is sent (wire)

def replaced(action, places):
    """The answer that an action gives instead of the right one, or None."""
    if "status" in action:
        return text_answer(action.get("body", ""), action["status"], action.get("headers"))
    for key in ("json", "tree"):
        if key in action:
            return json_answer(action[key], headers=action.get("headers"))
    if "json_bytes" in action:
        answer = Answer(200, {"Content-Type": "application/json", **action.get("headers", {})})
        answer.segments = [Memory(b"["), Repeated(action["json_bytes"] - 3), Memory(b"0]")]
        return answer
    if "redirect" in action:
        location = action["redirect"]
        for name, value in places.items():
            location = location.replace("{" + name + "}", value)
        return text_answer("Found. Redirecting to " + location, action.get("redirect_status", 302),
                           {"Location": location, **action.get("headers", {})})
    return None


def spoil(answer, action):
    """Changes the right answer as the action says."""
    if "flip" in action and answer.start is not None:
        at = action["flip"] - answer.start
        wrong = bytes(b ^ 0xFF for segment in answer.slice(at, at + 1) for b in segment.read())
        answer.segments = answer.slice(0, at) + [Memory(wrong)] + answer.slice(at + 1, answer.length)
    if "truncate" in action:
        answer.segments = answer.slice(0, action["truncate"])
    more = action.get("body_add", 0)
    if more < 0:
        answer.segments = answer.slice(0, max(answer.length + more, 0))
    elif more > 0:
        answer.segments.append(Memory(b"\xEE" * more))
    if action.get("gzip"):
        data = gzip.compress(b"".join(segment.read() for segment in answer.segments), 1)
        answer.segments = [Memory(data)]
        answer.headers["Content-Encoding"] = "gzip"
    if "content_range" in action and ("Content-Range" in answer.headers or action["content_range"] is None):
        spoil_content_range(answer, action["content_range"])
    for name, value in action.get("set_headers", {}).items():
        answer.headers.pop(name, None)
        if value is not None:
            answer.headers[name] = value


def spoil_content_range(answer, wrong):
    if wrong is None:
        answer.headers.pop("Content-Range", None)
    elif isinstance(wrong, str):
        answer.headers["Content-Range"] = wrong
    else:
        span, total = answer.headers["Content-Range"].split(" ")[1].split("/")
        start, end = (int(number) for number in span.split("-"))
        answer.headers["Content-Range"] = "%s %d-%d/%d" % (
            wrong.get("unit", "bytes"), start + wrong.get("start", 0), end + wrong.get("end", 0),
            int(total) + wrong.get("total", 0))
