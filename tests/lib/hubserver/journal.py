# SPDX-License-Identifier: Apache-2.0
"""The journal: one entry a request, appended when its head was read and filled in while it is answered."""

import json
import re
import threading
import time


class Entry:
    """One request. Only the thread of its connection writes it; readers take what they find."""

    def __init__(self, seq, side, connection, request, tokens):
        self.fields = {
            "seq": seq,
            "side": side,
            "connection": connection,
            "method": request.method,
            "path": request.target,
            "file": None,
            "host": request.headers.get("host", ""),
            "range": request.headers.get("range"),
            "authorization": "authorization" in request.headers,
            "secret": any(token in request.head for token in tokens),
            "headers": {k: v for k, v in request.headers.items() if k != "authorization"},
            "status": None,
            "rule": None,
            "sent": 0,
            "done": False,
        }

    def __getitem__(self, name):
        return self.fields[name]

    def set(self, **fields):
        self.fields.update(fields)

    def add_sent(self, count):
        self.fields["sent"] += count


class Journal:
    """Thread-safe. `wanted` is a regular expression that is searched in a request's path and in its file's name."""

    def __init__(self, tokens):
        self.lock = threading.Lock()
        self.entries = []
        self.tokens = [token.encode() for token in tokens]
        self.started = time.monotonic()

    def add(self, side, connection, request):
        with self.lock:
            entry = Entry(len(self.entries), side, connection, request, self.tokens)
            entry.set(time_ms=round((time.monotonic() - self.started) * 1000, 3))
            self.entries.append(entry)
            return entry

    def select(self, side=None, wanted=None, method=None):
        with self.lock:
            entries = list(self.entries)
        pattern = re.compile(wanted) if wanted else None
        return [
            e for e in entries
            if (side is None or e["side"] == side)
            and (method is None or e["method"] == method)
            and (pattern is None or pattern.search(e["path"]) or pattern.search(e["file"] or ""))
        ]

    def bytes_sent(self, side, wanted=None):
        return sum(e["sent"] for e in self.select(side, wanted))

    def lines(self, **selection):
        return "".join(json.dumps(e.fields) + "\n" for e in self.select(**selection))
