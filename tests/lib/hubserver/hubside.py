# SPDX-License-Identifier: Apache-2.0
"""The Hub's own host: repository info, trees in pages, references, and the download entry point."""

import json
import re
import time
import urllib.parse

from .body import Answer, file_answer, json_answer, replaced, spoil, text_answer
from .repos import OPEN_IN_GATED, pointer_text

QUOTE = urllib.parse.quote
UNQUOTE = urllib.parse.unquote
NAME = r"(?P<repo>[^/]+/[^/]+|[^/]+)"

ROUTES = [  # (pattern on the path as sent, method of HubSide, its bucket for rate limits), first match wins
    (r"/api/whoami-v2", "whoami", "api"),
    (r"/api/resolve-cache/models/(?P<repo>[^/]+/[^/]+)/(?P<revision>[^/]+)/(?P<path>.+)", "resolve_cache", "resolvers"),
    (rf"/api/models/{NAME}/revision/(?P<revision>[^/]+)", "info", "api"),
    (rf"/api/models/{NAME}/tree/(?P<revision>[^/]+)(?:/(?P<path>.+))?", "tree", "api"),
    (rf"/api/models/{NAME}/paths-info/(?P<revision>[^/]+)", "paths_info", "api"),
    (rf"/api/models/{NAME}/refs", "refs", "api"),
    (rf"/api/models/{NAME}/auth-check", "auth_check", "api"),
    (rf"/api/models/{NAME}", "info", "api"),
    (rf"/{NAME}/resolve/(?P<revision>[^/]+)/(?P<path>.+)", "resolve", "resolvers"),
    (rf"/{NAME}/raw/(?P<revision>[^/]+)/(?P<path>.+)", "raw", "resolvers"),
]


class Refused(Exception):
    """An error of the Hub's table: status, code (or None), sentence."""

    def __init__(self, status, code, sentence, **headers):
        super().__init__(sentence)
        self.status, self.code, self.sentence, self.headers = status, code, sentence, headers


class Quota:
    """A fixed window of requests; 0 is no limit."""

    def __init__(self, quota, window):
        self.quota, self.window, self.used, self.started = quota, window, 0, time.monotonic()

    def take(self, bucket):
        """Returns (allowed, headers)."""
        now = time.monotonic()
        if now - self.started >= self.window:
            self.used, self.started = 0, now
        self.used += 1
        quota = self.quota or 1000000
        left = max(quota - self.used, 0)
        reset = max(int(self.window - (now - self.started)), 1)
        return self.used <= quota, {
            "RateLimit": f'"{bucket}";r={left};t={reset}',
            "RateLimit-Policy": f'"fixed window";"{bucket}";q={quota};w={int(self.window)}',
        }


class HubSide:
    def __init__(self, world):
        self.world = world
        options = world.options
        self.quotas = {"api": Quota(options.quota_api, options.quota_window),
                       "resolvers": Quota(options.quota_resolvers, options.quota_window)}

    # ----------------------------------------------------------------------------------------------- one request

    def serve(self, connection, request):
        world = self.world
        entry = world.journal.add("hub", connection.number, request)
        path, _, query = request.target.partition("?")
        route, found, bucket = self.route(path)
        names = [request.target]
        name = self.file_name(found)
        if name:
            entry.set(file=name)
            names.append(name)
        rule = world.rules.pick("hub", request.method, names, None)
        action = rule.action if rule else {}
        world.pause(action)
        answer = replaced(action, {"hub": world.hub_url, "cdn": world.cdn_url, "target": request.target})
        if answer is None:
            answer = self.answer(request, route, found, bucket, query)
            spoil(answer, action)
        entry.set(status=answer.status, rule=rule.number if rule else None)
        try:
            connection.send(request, answer, action, entry)
        finally:
            answer.done()
            entry.set(done=True)

    def route(self, path):
        for pattern, method, bucket in ROUTES:
            found = re.fullmatch(pattern, path)
            if found:
                return getattr(self, method), {k: UNQUOTE(v) for k, v in found.groupdict().items() if v}, bucket
        return None, {}, "pages"

    def file_name(self, found):
        if "path" not in found or "revision" not in found:
            return None
        return f"{found['repo']}/{found['path']}@{found['revision']}"

    def answer(self, request, route, found, bucket, query):
        allowed, limits = self.quotas[bucket].take(bucket) if bucket in self.quotas else (True, {})
        api = request.target.startswith("/api/") and not request.target.startswith("/api/resolve-cache/")
        try:
            if not allowed:
                raise Refused(429, None, "We had to rate limit your IP.", **{"Retry-After": str(self.world.options.quota_window)})
            if route is None:
                raise Refused(404, None, "Not Found")
            if request.method not in ("GET", "HEAD", "POST"):
                raise Refused(405, None, "Method not allowed")
            moved = self.world.repos.aliases.get(found.get("repo", ""))
            if moved:
                location = request.target.replace("/" + found["repo"], "/" + moved, 1)
                answer = text_answer("Temporary Redirect. Redirecting to " + location, 307, {"Location": location})
            else:
                answer = route(request, dict(urllib.parse.parse_qsl(query, keep_blank_values=True)), **found)
        except Refused as error:
            answer = self.error(error, api)
        answer.headers.update(limits)
        answer.headers["X-Request-Id"] = f"Root=1-{self.world.next_number():08x}"
        return answer

    @staticmethod
    def error(error, api):
        headers = {"X-Error-Message": error.sentence, **error.headers}
        if error.code:
            headers["X-Error-Code"] = error.code
        if error.status == 401:
            headers["WWW-Authenticate"] = 'Bearer realm="Authentication required", charset="UTF-8"'
        if api:
            return json_answer({"error": error.sentence}, error.status, headers)
        return text_answer(error.sentence, error.status, headers)

    # ------------------------------------------------------------------------------------------------- who may

    def user(self, request):
        """The user of the request's token, None when there is no token."""
        header = request.headers.get("authorization")
        if header is None:
            return None
        user = self.world.tokens.get(header.removeprefix("Bearer "))
        if user is None or not header.startswith("Bearer "):
            raise Refused(401, None, "Invalid credentials in Authorization header")
        return user

    def repo(self, request, name):
        """The repository, when it may be known to exist; and whether its files may be read."""
        user = self.user(request)
        repo = self.world.repos.get(name)
        access = repo is not None and user is not None and user in repo.get("access", [])
        if repo is None or (repo.get("private") and not access):
            if user is None:
                raise Refused(401, None, "Invalid username or password.")
            raise Refused(404, "RepoNotFound", "Repository not found")
        return repo, access or not repo.get("gated")

    def gate(self, request, name):
        """The repository, when its files may be read."""
        repo, open_to_all = self.repo(request, name)
        if repo.get("disabled"):
            raise Refused(403, None, "Access to this resource is disabled.")
        if not open_to_all:
            where = f"Visit {self.world.hub_url}/{name} to ask for access."
            if self.user(request) is None:
                raise Refused(401, "GatedRepo", f"Access to model {name} is restricted. You must have access to it and "
                              f"be authenticated to access it. Please log in.")
            raise Refused(403, "GatedRepo", f"Access to model {name} is restricted and you are not in the authorized list. {where}")
        return repo

    @staticmethod
    def commit(repo, revision):
        commit = repo.resolve(revision)
        if commit is None:
            raise Refused(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return commit

    # -------------------------------------------------------------------------------------------------- answers

    def whoami(self, request, query):
        user = self.user(request)
        if user is None:
            raise Refused(401, None, "Invalid username or password.")
        return json_answer({"type": "user", "id": "0" * 24, "name": user, "auth": {"type": "access_token"}})

    def auth_check(self, request, query, repo):
        self.gate(request, repo)
        return json_answer({})

    def info(self, request, query, repo, revision="main"):
        found, _ = self.repo(request, repo)
        commit = self.commit(found, revision)
        siblings = []
        for file in commit.files.values():
            item = {"rfilename": file.path}
            if query.get("blobs") in ("true", "1", "True"):
                item.update(size=file.size, blobId=file.oid)
                if file.lfs:
                    item["lfs"] = {"sha256": file.sha256, "size": file.size,
                                   "pointerSize": len(pointer_text(file.sha256, file.size))}
            siblings.append(item)
        return json_answer({
            "_id": found.identity, "id": repo, "modelId": repo, "author": repo.split("/")[0], "sha": commit.sha,
            "lastModified": "2026-08-01T12:00:00.000Z", "createdAt": "2026-01-01T12:00:00.000Z",
            "private": bool(found.get("private")), "gated": found.get("gated", False), "disabled": bool(found.get("disabled")),
            "downloads": 7, "likes": 1, "tags": ["test"], "siblings": siblings, "spaces": [],
            "usedStorage": sum(file.size for file in commit.files.values()),
        }, headers={"ETag": f'W/"{commit.sha[:16]}"'})

    def tree(self, request, query, repo, revision, path=""):
        found, readable = self.repo(request, repo)
        commit = self.commit(found, revision)
        entries = commit.tree(path, query.get("recursive") in ("true", "1", "True"), masked=not readable)
        if path and not entries:
            raise Refused(404, "EntryNotFound", f"{path} does not exist on \"{revision}\"", **{"X-Repo-Commit": commit.sha})
        if not path:
            entries = found.get("entries", []) + entries
        size = min(found.get("page_size", 1000), int(query.get("limit", 1000)))
        start = int(query.get("cursor", "0"))
        headers = {}
        if start + size < len(entries):
            query = urllib.parse.urlencode({**query, "cursor": start + size})
            target = request.target.partition("?")[0]
            headers["Link"] = f'<{self.world.hub_url}{target}?{query}>; rel="next"'
        return json_answer(entries[start:start + size], headers=headers)

    def paths_info(self, request, query, repo, revision):
        found, readable = self.repo(request, repo)
        commit = self.commit(found, revision)
        try:
            wanted = json.loads(request.body)["paths"]
        except (ValueError, KeyError):
            wanted = urllib.parse.parse_qs(request.body.decode()).get("paths", [])
        entries = {entry["path"]: entry for entry in commit.tree(masked=not readable)}
        return json_answer([entries[path] for path in wanted if path in entries])

    def refs(self, request, query, repo):
        found, _ = self.repo(request, repo)
        answer = {"branches": [], "converts": [], "tags": [], "pullRequests": []}
        for name, sha in found.revisions.items():
            kind, ref = ("branches", "refs/heads/" + name)
            if name.startswith("refs/pr/"):
                kind, ref = ("pullRequests", name)
            elif name.startswith("v"):
                kind, ref = ("tags", "refs/tags/" + name)
            answer[kind].append({"name": name, "ref": ref, "targetCommit": sha})
        return json_answer(answer)

    def find(self, request, repo, revision, path):
        """(repository, commit, file), after the gate; the gate comes before revision and file."""
        if path in OPEN_IN_GATED:
            found, _ = self.repo(request, repo)
        else:
            found = self.gate(request, repo)
        commit = self.commit(found, revision)
        file = commit.files.get(path)
        if file is None:
            raise Refused(404, "EntryNotFound", "Entry not found", **{"X-Repo-Commit": commit.sha})
        return found, commit, file

    def resolve(self, request, query, repo, revision, path):
        found, commit, file = self.find(request, repo, revision, path)
        etag = f'"{file.sha256 if file.lfs else file.oid}"'
        if request.headers.get("if-none-match") == etag:
            return Answer(304, {"ETag": etag, "X-Repo-Commit": commit.sha})
        if file.lfs:
            return self.to_cdn(commit, file, found)
        if found.get("gated") or found.get("private"):
            return self.small(request, commit, file)
        place = f"/api/resolve-cache/models/{repo}/{commit.sha}/{QUOTE(path)}"
        location = f"{place}?{QUOTE(request.target.partition('?')[0], safe='')}=&etag={QUOTE(etag, safe='')}"
        return text_answer("Temporary Redirect. Redirecting to " + location, 307,
                           {"Location": location, "X-Repo-Commit": commit.sha})

    def to_cdn(self, commit, file, found):
        location = self.world.sign(found, commit, file)
        headers = {"Location": location, "X-Repo-Commit": commit.sha, "X-Linked-Etag": f'"{file.sha256}"',
                   "X-Linked-Size": str(file.size), "Accept-Ranges": "bytes"}
        if self.world.options.xet:
            headers["X-Xet-Hash"] = file.xet
        return text_answer("Found. Redirecting to " + location, 302, headers)

    def small(self, request, commit, file):
        name = QUOTE(file.path.rpartition("/")[2])
        return file_answer(200, {
            "ETag": f'"{file.oid}"', "X-Repo-Commit": commit.sha, "Content-Type": "text/plain; charset=utf-8",
            "Content-Disposition": f"inline; filename*=UTF-8''{name}",
        }, file.location, 0, file.size)

    def resolve_cache(self, request, query, repo, revision, path):
        found = self.gate(request, repo)
        if not re.fullmatch(r"[0-9a-f]{40}", revision):
            raise Refused(400, None, "Invalid commit")
        _, commit, file = self.find(request, repo, revision, path)
        if file.lfs or found.get("gated") or found.get("private"):
            raise Refused(404, "EntryNotFound", "Entry not found")
        return self.small(request, commit, file)

    def raw(self, request, query, repo, revision, path):
        _, commit, file = self.find(request, repo, revision, path)
        if file.lfs:
            return text_answer(pointer_text(file.sha256, file.size).decode(), 200, {"X-Repo-Commit": commit.sha})
        return self.small(request, commit, file)
