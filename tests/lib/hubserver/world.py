# SPDX-License-Identifier: Apache-2.0
"""What the sides share: repositories, rules, journal, tokens, and the grants behind signed URLs."""

import itertools
import json
import secrets
import threading
import time
import urllib.parse

from .journal import Journal
from .repos import Repos
from .rules import Rules
from .wire import Stalls

# token -> user; who may read what is in the repositories ("access": [users])
TOKENS = {"hf_granted_0123456789abcdef": "alice", "hf_stranger_0123456789abcdef": "bob"}


class Grant:
    """What one signed URL gives: a file, for so long and so many requests (0: without limit)."""

    def __init__(self, name, path, file, seconds, requests):
        self.name, self.path, self.file = name, path, file
        self.deadline = time.monotonic() + seconds if seconds else None
        self.left = requests or None
        self.lock = threading.Lock()

    def valid(self, path):
        with self.lock:
            if path != self.path or (self.deadline is not None and time.monotonic() > self.deadline):
                return False
            if self.left is None:
                return True
            self.left -= 1
            return self.left >= 0


class World:
    def __init__(self, options):
        self.options = options
        self.tokens = dict(TOKENS)
        if options.tokens:
            with open(options.tokens, encoding="utf-8") as stream:
                self.tokens = json.load(stream)
        self.repos = Repos(options.repos, options.state)
        self.rules = Rules()
        self.journal = Journal(self.tokens)
        self.stalls = Stalls()
        self.grants = {}
        self.counter = itertools.count(1)
        self.hub_url = self.cdn_url = None

    def next_number(self):
        return next(self.counter)

    def pause(self, action):
        """The delay that every answer has, and the one that a rule adds."""
        delay_ms = self.options.latency_ms + action.get("delay_ms", 0)
        if delay_ms:
            time.sleep(delay_ms / 1000)

    def sign(self, repo, commit, file):
        if self.options.cdn_base:
            return f"{self.options.cdn_base}/{repo.name}/{urllib.parse.quote(file.path)}"
        signature = secrets.token_urlsafe(32)
        path = f"/xet-bridge-us/{repo.identity}/{file.xet}"
        name = f"{repo.name}/{file.path}@{commit.sha}"
        self.grants[signature] = Grant(name, path, file, self.options.url_seconds, self.options.url_requests)
        query = urllib.parse.urlencode({
            "response-content-disposition": f"inline; filename*=UTF-8''{urllib.parse.quote(file.path.rpartition('/')[2])}",
            "Expires": int(time.time()) + (self.options.url_seconds or 3600), "Policy": "eyJ0ZXN0Ijp0cnVlfQ__",
            "Signature": signature, "Key-Pair-Id": "K0TEST"})
        return f"{self.cdn_url}{path}?{query}"

    def expire(self):
        count = len(self.grants)
        self.grants = {}
        return count
