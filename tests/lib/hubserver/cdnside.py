# SPDX-License-Identifier: Apache-2.0
"""The CDN: another host name, signed URLs, ranges. Knows nothing of repositories and refuses secrets."""

import re
import urllib.parse

from .body import Answer, file_answer, replaced, spoil


def wanted_range(header, size):
    """(start, end) of one range, None for the whole, False when it cannot be satisfied."""
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", header or "")
    if not found or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if first == "":
        return (max(size - int(last), 0), size) if int(last) and size else False
    start, end = int(first), min(int(last) + 1, size) if last else size
    if last and int(last) < start:
        return None
    return (start, end) if start < size else False


class CdnSide:
    def __init__(self, world):
        self.world = world

    def serve(self, connection, request):
        world = self.world
        entry = world.journal.add("cdn", connection.number, request)
        query = dict(urllib.parse.parse_qsl(request.target.partition("?")[2]))
        grant = world.grants.get(query.get("Signature"))
        file = grant.file if grant else None
        names, span = [request.target], None
        if grant:
            entry.set(file=grant.name)
            names.append(grant.name)
            span = wanted_range(request.headers.get("range"), file.size) or (0, file.size)
        rule = world.rules.pick("cdn", request.method, names, span)
        action = rule.action if rule else {}
        world.pause(action)
        answer = replaced(action, {"hub": world.hub_url, "cdn": world.cdn_url, "target": request.target})
        if answer is None:
            answer = self.answer(request, grant, bool(action.get("whole")))
            spoil(answer, action)
        entry.set(status=answer.status, rule=rule.number if rule else None)
        try:
            connection.send(request, answer, action, entry)
        finally:
            answer.done()
            entry.set(done=True)

    def answer(self, request, grant, whole):
        if "authorization" in request.headers:
            return self.refusal(400, "InvalidArgument", "Only one auth mechanism allowed")
        if request.method != "GET":
            return self.refusal(403, "SignatureDoesNotMatch", "The request signature does not match")
        if grant is None or not grant.valid(urllib.parse.urlsplit(request.target).path):
            return self.refusal(403, "AccessDenied", "Request has expired")
        file = grant.file
        headers = {
            "Content-Type": "application/octet-stream", "Accept-Ranges": "bytes", "ETag": f'"{file.xet}"',
            "Content-Disposition": "inline; filename*=UTF-8''" + urllib.parse.quote(file.path.rpartition("/")[2]),
        }
        span = None if whole else wanted_range(request.headers.get("range"), file.size)
        if span is False:
            return Answer(416, {"Content-Range": f"bytes */{file.size}"})
        if span is None:
            return file_answer(200, headers, file.location, 0, file.size)
        start, end = span
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{file.size}"
        return file_answer(206, headers, file.location, start, end - start)

    @staticmethod
    def refusal(status, code, message):
        text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>\n'
        return Answer(status, {"Content-Type": "application/xml"}, text.encode())
