# SPDX-License-Identifier: Apache-2.0
"""Bad manners on order. A rule says which requests it wants and what is done to their answers.

{"match": "model\\.gguf", "side": "cdn", "method": "GET", "covers": 4096, "after": 1, "times": 2, "action": {...}}

match    regular expression, searched in the request's path with its query, and in ORG/NAME/FILE@COMMIT when the
         request leads to a file (URLs on the CDN don't name their file)
side     hub or cdn; without it both
method   without it all
covers   only requests whose range (none: the whole) holds this byte of the file
after    so many requests that match are let through first (0)
times    so many requests are treated (without it: all)

The first rule that wants a request gets it. An action has one or more of these:

status, headers, body     another answer altogether
json, tree                another answer: this JSON (tree is the same; it reads better)
json_bytes                another answer: a syntactically right tree page of so many bytes, made as it is sent
redirect                  another answer: 302 (redirect_status) to this place; {hub} {cdn} {target} are filled in
set_headers               on top of the answer; null removes a header
delay_ms                  before anything is sent
stall_headers             true: nothing is sent until released
whole                     true: a Range header is not seen, 200 with everything
content_range             null: no such header; text: as it is; {"start": 1, "end": -1, "total": 5, "unit": "bits"}: added
truncate                  the body ends after so many bytes, and Content-Length says the same
body_add                  so many bytes more (or fewer), and Content-Length says the same
flip                      the byte at this offset of the file is inverted (only requests that cover it are treated)
gzip                      true: encoded, and says so
chunked                   true: no Content-Length
stall                     after so many bytes of the body nothing more comes until released or the client leaves
cut                       after so many bytes of the body the connection ends: FIN, or RST with "how": "rst"
drip                      bytes a second
"""

import re
import threading

ACTIONS = {
    "status", "headers", "body", "json", "tree", "json_bytes", "redirect", "redirect_status", "set_headers", "delay_ms",
    "stall_headers", "whole", "content_range", "truncate", "body_add", "flip", "gzip", "chunked", "stall", "cut", "how",
    "drip",
}
KEYS = {"match", "side", "method", "covers", "after", "times", "action"}


class Rule:
    def __init__(self, number, description):
        unknown = set(description) - KEYS | set(description.get("action", {})) - ACTIONS
        if unknown or "action" not in description:
            raise ValueError(f"rule {number}: unknown or missing: {', '.join(sorted(unknown)) or 'action'}")
        if description.get("side") not in (None, "hub", "cdn"):
            raise ValueError(f"rule {number}: side is hub or cdn")
        self.number = number
        self.description = description
        self.pattern = re.compile(description.get("match", ""))
        self.action = description["action"]
        self.covers = description.get("covers", self.action.get("flip"))
        self.skip = description.get("after", 0)
        self.left = description.get("times")
        self.hits = 0

    def wants(self, side, method, names, span):
        wanted = self.description
        if wanted.get("side", side) != side or wanted.get("method", method) != method:
            return False
        if not any(self.pattern.search(name) for name in names):
            return False
        return self.covers is None or (span is not None and span[0] <= self.covers < span[1])

    def take(self):
        """Whether this request, which is wanted, is treated; counts it."""
        if self.left is not None and self.hits >= self.left:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.hits += 1
        return True


class Rules:
    def __init__(self):
        self.lock = threading.Lock()
        self.rules = []
        self.made = 0

    def add(self, descriptions):
        """Adds one rule or a list of them, all or none; returns their numbers."""
        if isinstance(descriptions, dict):
            descriptions = [descriptions]
        with self.lock:
            rules = [Rule(self.made + n, d) for n, d in enumerate(descriptions)]
            self.made += len(rules)
            self.rules.extend(rules)
            return [rule.number for rule in rules]

    def clear(self):
        with self.lock:
            self.rules = []

    def pick(self, side, method, names, span):
        with self.lock:
            for rule in self.rules:
                if rule.wants(side, method, names, span) and rule.take():
                    return rule
        return None

    def report(self):
        with self.lock:
            return [dict(rule.description, rule=rule.number, hits=rule.hits) for rule in self.rules]
