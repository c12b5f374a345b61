# SPDX-License-Identifier: Apache-2.0
"""The test's own door, on a port of its own. Queries: side=hub|cdn, match=REGEX, method=GET.

GET  /log               every request so far, a JSON object a line (see journal.py)
GET  /count             how many
GET  /bytes             body bytes that the CDN sent (or the other side)
GET  /waiting           requests that stand still right now
GET  /script            the rules and how often each was used
POST /script            adds a rule or a list of rules (see rules.py); answers with their numbers
POST /script?replace=1  the same, after forgetting all rules
POST /release           those who stand still go on; with drop=1 their connections end instead
POST /reload            looks at the folders again; answers with the commit of each repository
POST /expire            every signed URL that was given out is refused from now on
"""

import json
import re
import urllib.parse

from .body import json_answer, text_answer


class Control:
    def __init__(self, world):
        self.world = world

    def serve(self, connection, request):
        path, _, query = request.target.partition("?")
        query = dict(urllib.parse.parse_qsl(query))
        try:
            handler = getattr(self, request.method.lower() + path.replace("/", "_"), None)
            answer = handler(query, request.body) if handler else text_answer("no such call\n", 404)
        except (ValueError, KeyError, TypeError, re.error) as error:
            answer = text_answer(f"{error}\n", 400)
        connection.send(request, answer, {}, None) if not answer.segments else self.send(connection, request, answer)

    @staticmethod
    def send(connection, request, answer):
        class Nowhere:
            @staticmethod
            def add_sent(count):
                """Control answers are not counted."""
        connection.send(request, answer, {}, Nowhere)

    @staticmethod
    def selection(query):
        return {"side": query.get("side"), "wanted": query.get("match"), "method": query.get("method")}

    def get_log(self, query, body):
        return text_answer(self.world.journal.lines(**self.selection(query)))

    def get_count(self, query, body):
        return text_answer(f"{len(self.world.journal.select(**self.selection(query)))}\n")

    def get_bytes(self, query, body):
        return text_answer(f"{self.world.journal.bytes_sent(query.get('side', 'cdn'), query.get('match'))}\n")

    def get_waiting(self, query, body):
        pattern = re.compile(query.get("match", ""))
        wanted = lambda entry: pattern.search(entry["path"]) or pattern.search(entry["file"] or "")
        return text_answer(f"{self.world.stalls.count(wanted)}\n")

    def get_script(self, query, body):
        return json_answer(self.world.rules.report())

    def post_script(self, query, body):
        rules = json.loads(body) if body.strip() else []
        if query.get("replace"):
            self.world.rules.clear()
        return json_answer(self.world.rules.add(rules))

    def post_release(self, query, body):
        return text_answer(f"{self.world.stalls.release(bool(query.get('drop')))}\n")

    def post_reload(self, query, body):
        return json_answer(self.world.repos.reload())

    def post_expire(self, query, body):
        return text_answer(f"{self.world.expire()}\n")
