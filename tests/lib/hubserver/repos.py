# SPDX-License-Identifier: Apache-2.0
"""Folders as repositories with commits.

REPOS/ORG/NAME/            the files of the branch main
REPOS/ORG/NAME/.repo.json  optional:
    gated       false, "auto" or "manual"
    private     true: unknown to those without access
    disabled    true: 403 on files
    access      user names that may read a gated or private repository
    aliases     other names that redirect here ("gpt2", "old/name")
    lfs         patterns of files that are LFS, on top of *.gguf *.safetensors *.bin and all of 64 KiB and more
    declared    {"FILE": "sha256"}: taken as it is, the file is not hashed
    entries     tree entries that are listed verbatim, before ours
    revisions   {"v1.0": "FOLDER", "refs/pr/1": "FOLDER", …}: FOLDER is relative to REPOS/ORG/NAME and starts with a dot
    page_size   entries a tree page (1000)

Names that start with a dot are no files of the repository. A commit is a function of names and contents. It is copied
to STATE/commits/SHA when it is first seen (files of 64 MiB and more are linked: replace those, never write into them),
so an old commit goes on being served after `reload`, also by the next server on the same state folder.
"""

import fnmatch
import hashlib
import json
import os
import shutil
import threading

LFS_BYTES = 64 * 1024
LINK_BYTES = 64 * 1024 * 1024
LFS_PATTERNS = ["*.gguf", "*.safetensors", "*.bin"]
OPEN_IN_GATED = {"README.md", "LICENSE", ".gitattributes"}


def git_oid(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def pointer_text(sha256, size):
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()


class File:
    def __init__(self, path, location, size, oid, sha256):
        self.path, self.location, self.size, self.oid, self.sha256 = path, location, size, oid, sha256

    @property
    def lfs(self):
        return self.sha256 is not None

    @property
    def xet(self):
        """What the CDN uses as ETag: 64 hex digits that are no digest of the content."""
        return hashlib.sha256(b"xet " + self.sha256.encode()).hexdigest()

    def entry(self, masked=False):
        result = {"type": "file", "oid": self.oid, "size": self.size, "path": self.path}
        if self.lfs:
            result["lfs"] = {"oid": "*" * 64 if masked else self.sha256, "size": self.size,
                             "pointerSize": len(pointer_text(self.sha256, self.size))}
        return result


class Commit:
    def __init__(self, sha, files):
        self.sha = sha
        self.files = {file.path: file for file in files}

    def tree(self, folder="", recursive=True, masked=False):
        """Tree entries below folder (or right in it), directories included, in the order of their paths."""
        prefix = folder + "/" if folder else ""
        entries, folders = [], set()
        for path, file in self.files.items():
            if not path.startswith(prefix):
                continue
            parts = path[len(prefix):].split("/")
            folders.update(prefix + "/".join(parts[:depth]) for depth in range(1, len(parts)))
            if recursive or len(parts) == 1:
                entries.append(file.entry(masked))
        for name in folders:
            if recursive or "/" not in name[len(prefix):]:
                oid = hashlib.sha1((self.sha + name).encode()).hexdigest()
                entries.append({"type": "directory", "oid": oid, "size": 0, "path": name})
        return sorted(entries, key=lambda entry: entry["path"])


class Repo:
    def __init__(self, name, settings):
        self.name = name
        self.settings = settings
        self.revisions = {}
        self.commits = {}

    def get(self, key, default=None):
        return self.settings.get(key, default)

    @property
    def identity(self):
        return hashlib.sha256(self.name.encode()).hexdigest()[:24]

    def resolve(self, revision):
        """The commit of a branch, tag, ref, commit or short commit; None when there is none."""
        if revision in self.revisions:
            return self.commits[self.revisions[revision]]
        if len(revision) >= 7 and all(c in "0123456789abcdef" for c in revision):
            found = [commit for sha, commit in self.commits.items() if sha.startswith(revision)]
            return found[0] if len(found) == 1 else None
        return None


class Repos:
    def __init__(self, root, state):
        self.root = root
        self.state = state
        self.lock = threading.Lock()
        self.digests_path = os.path.join(state, "digests.json")
        self.digests = self.load(self.digests_path, {})
        self.known = self.load(os.path.join(state, "commits.json"), {})
        self.repos = {}
        self.aliases = {}
        self.reload()

    @staticmethod
    def load(path, default):
        try:
            with open(path, encoding="utf-8") as stream:
                return json.load(stream)
        except FileNotFoundError:
            return default

    def save(self, name, value):
        path = os.path.join(self.state, name)
        with open(path + ".new", "w", encoding="utf-8") as stream:
            json.dump(value, stream)
        os.replace(path + ".new", path)

    def get(self, name):
        return self.repos.get(name)

    def reload(self):
        """Looks at the folders again; returns {ORG/NAME: commit of main}."""
        with self.lock:
            repos = {}
            for org in sorted(os.listdir(self.root)):
                for name in sorted(os.listdir(os.path.join(self.root, org))):
                    repos[f"{org}/{name}"] = self.load_repo(f"{org}/{name}")
            self.repos = repos
            self.aliases = {a: r.name for r in repos.values() for a in r.get("aliases", [])}
            self.save("digests.json", self.digests)
            self.save("commits.json", self.known)
            return {name: repo.revisions["main"] for name, repo in repos.items()}

    def load_repo(self, name):
        folder = os.path.join(self.root, name)
        repo = Repo(name, self.load(os.path.join(folder, ".repo.json"), {}))
        for revision, subfolder in {"main": ".", **repo.get("revisions", {})}.items():
            sha = self.commit(repo, os.path.normpath(os.path.join(folder, subfolder)))
            repo.revisions[revision] = sha
        for sha in self.known.get(name, []):
            repo.commits[sha] = self.load_commit(sha)
        return repo

    def commit(self, repo, folder):
        """Makes the commit of a folder's contents, unless it is there; returns its sha."""
        found = []
        for place, folders, names in os.walk(folder):
            folders[:] = sorted(f for f in folders if not f.startswith("."))
            for name in sorted(names):
                location = os.path.join(place, name)
                if name.startswith(".") and name not in OPEN_IN_GATED:
                    continue
                path = os.path.relpath(location, folder)
                found.append((path, location, os.stat(location).st_size, *self.digest(repo, path, location)))
        found.sort()
        text = repo.name + "".join(f"\n{path} {size} {oid} {sha256}" for path, _, size, oid, sha256 in found)
        sha = hashlib.sha1(text.encode()).hexdigest()
        if sha not in self.known.setdefault(repo.name, []):
            self.keep(sha, found)
            self.known[repo.name].append(sha)
        return sha

    def digest(self, repo, path, location):
        """(git oid, sha256 or None)."""
        stat = os.stat(location)
        patterns = LFS_PATTERNS + repo.get("lfs", [])
        if stat.st_size < LFS_BYTES and not any(fnmatch.fnmatch(path, pattern) for pattern in patterns):
            with open(location, "rb") as stream:
                return git_oid(stream.read()), None
        sha256 = repo.get("declared", {}).get(path)
        if sha256 is None:
            key = f"{location} {stat.st_size} {stat.st_mtime_ns} {stat.st_ino}"
            if key not in self.digests:
                with open(location, "rb") as stream:
                    self.digests[key] = hashlib.file_digest(stream, "sha256").hexdigest()
            sha256 = self.digests[key]
        return git_oid(pointer_text(sha256, stat.st_size)), sha256

    def keep(self, sha, found):
        folder = os.path.join(self.state, "commits", sha)
        shutil.rmtree(folder + ".new", ignore_errors=True)
        rows = []
        for path, location, size, oid, sha256 in found:
            target = os.path.join(folder + ".new", "files", path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            try:
                if size < LINK_BYTES:
                    raise OSError
                os.link(location, target)
            except OSError:
                shutil.copyfile(location, target)
            rows.append([path, size, oid, sha256])
        os.makedirs(folder + ".new", exist_ok=True)
        with open(os.path.join(folder + ".new", "tree.json"), "w", encoding="utf-8") as stream:
            json.dump(rows, stream)
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(folder + ".new", folder)

    def load_commit(self, sha):
        folder = os.path.join(self.state, "commits", sha)
        rows = self.load(os.path.join(folder, "tree.json"), [])
        return Commit(sha, [File(path, os.path.join(folder, "files", path), size, oid, sha256)
                            for path, size, oid, sha256 in rows])
