# SPDX-License-Identifier: Apache-2.0
"""sweep.py MOUNTPOINT: looks at every row of the tree in every way, without knowing any of them by name.

Says what is wrong, a line each; exits 1 when there was something. `wait` is the only name with a meaning: it may block
for a while and its content depends on the moment.
"""

import errno
import os
import re
import stat
import sys

REFUSED = {errno.EROFS, errno.EPERM, errno.EACCES}
FLAGS = {
    "O_WRONLY": os.O_WRONLY, "O_RDWR": os.O_RDWR, "O_WRONLY|O_APPEND": os.O_WRONLY | os.O_APPEND,
    "O_WRONLY|O_TRUNC": os.O_WRONLY | os.O_TRUNC, "O_RDONLY|O_NONBLOCK": os.O_RDONLY | os.O_NONBLOCK,
    "O_RDONLY|O_NOFOLLOW": os.O_RDONLY | os.O_NOFOLLOW,
}
WHOLE_LIMIT = 16 << 20
TRIES = 5
MODELS_ARE_IN = re.compile("/(hf|openai|ollama)/[^/:]+$|/ollama$|/infer/chats(/[^/]+)?$")  # rmdir forgets a model; conversations are made, and `rm reply` ends an answer
problems = []
inodes = {}


def problem(path, text):
    problems.append(f"{path}: {text}")


def open_result(path, flags):
    try:
        os.close(os.open(path, flags))
        return None
    except OSError as error:
        return error.errno


def look_at_folder(path):
    with os.scandir(path) as entries:
        found = {entry.name: (entry.inode(), entry.is_dir(follow_symlinks=False), entry.is_symlink()) for entry in entries}
    names = sorted(found)
    if sorted(os.listdir(path)) != names:
        problem(path, "two listings differ")
    links = sum(1 for _, is_folder, _ in found.values() if is_folder) + 2
    mode = os.lstat(path)
    if mode.st_nlink not in (1, links):
        problem(path, f"st_nlink is {mode.st_nlink}, not {links} (or 1: not counted)")
    may_write = path == sys.argv[1] or MODELS_ARE_IN.search(path)  # the root takes a link
    if stat.S_IMODE(mode.st_mode) & 0o222 and not may_write:
        problem(path, f"mode {stat.S_IMODE(mode.st_mode):o}: a folder that nobody can write to says that one can")
    if open_result(path, os.O_WRONLY) != errno.EISDIR:
        problem(path, "opened for writing")
    for name in names:
        inode, is_folder, is_link = found[name]
        there = os.path.join(path, name)
        try:
            looked = os.lstat(there)
        except OSError as error:
            problem(there, f"is listed and cannot be looked up: {error}")
            continue
        if (stat.S_ISDIR(looked.st_mode), stat.S_ISLNK(looked.st_mode)) != (is_folder, is_link):
            problem(there, "is of another type than the listing says")
        if looked.st_ino != inode:
            problem(there, f"st_ino {looked.st_ino}, listed as {inode}")
        # A file of the selected revision is one file, whichever way one came.
        there_too = re.sub("/revisions/[^/]*/files/", "/files/", there)
        if inodes.setdefault(looked.st_ino, there_too) != there_too:
            problem(there, f"has the st_ino of {inodes[looked.st_ino]}")
    for name in ("nosuch-\xe9", "a" * 255):
        try:
            os.lstat(os.path.join(path, name))
            problem(path, f"a name that is not listed can be looked up: {name[:10]}…")
        except FileNotFoundError:
            pass
        except OSError as error:
            problem(path, f"a name that is not listed ({name[:10]}…): {errno.errorcode[error.errno]}")
    try:
        os.lstat(os.path.join(path, "a" * 256))
    except OSError as error:
        if error.errno not in (errno.ENAMETOOLONG, errno.ENOENT):
            problem(path, f"a name of 256 bytes: {errno.errorcode[error.errno]}")
    return names


def look_at_file(path, model_file):
    mode = stat.S_IMODE(os.lstat(path).st_mode)
    if not mode & 0o400:
        problem(path, f"mode {mode:o}: cannot be read")
    if mode & 0o111:
        problem(path, f"mode {mode:o}: can be executed")
    for name, flags in FLAGS.items():
        error = open_result(path, flags)
        writing = flags & os.O_ACCMODE != os.O_RDONLY
        if writing and not mode & 0o200 and error not in REFUSED:
            problem(path, f"mode {mode:o}, open {name}: {errno.errorcode.get(error, 'done')}")
        if os.path.basename(path) == "ask" and flags & os.O_ACCMODE == os.O_WRONLY:  # nobody could read the answer
            if error != errno.EINVAL:
                problem(path, f"open {name}: {errno.errorcode.get(error, 'done')}")
        elif (mode & 0o200 or not writing) and error is not None:
            problem(path, f"mode {mode:o}, open {name}: {errno.errorcode[error]}")
    if not model_file:
        read_text(path)
    else:
        read_model_file(path)


def open_read_error(fd):
    try:
        os.read(fd, 10)
    except OSError as error:
        return error.errno
    return None


def read_text(path):
    # What we read before is still being sealed: a text may change between a stat and the open. Not every time.
    for _ in range(TRIES):
        said = os.stat(path).st_size
        fd = os.open(path, os.O_RDONLY)
        size = os.fstat(fd).st_size
        if said == size:
            break
        os.close(fd)
    else:
        problem(path, f"stat says {said}, fstat {size}, {TRIES} times")
        return
    try:
        if os.path.basename(path) in ("reply", "request", "embed"):  # nothing was asked: it says so, and does not wait
            if open_read_error(fd) != errno.ENODATA:
                problem(path, "a read before the first question is not refused with ENODATA")
            return
        text = b"".join(iter(lambda: os.read(fd, 4096), b""))
        if os.path.basename(path) == "wait":
            return
        if len(text) != size:
            problem(path, f"fstat says {size}, and there are {len(text)} bytes")
        if text and not text.endswith(b"\n"):
            problem(path, "does not end in a newline")
        if b"\0" in text:
            problem(path, "has a NUL in it")
        try:
            text.decode()
        except UnicodeDecodeError:
            problem(path, "is not UTF-8")
        for place, count in ((0, 3), (len(text) // 2, 100), (max(len(text) - 1, 0), 10)):
            part = os.pread(fd, count, place)
            if os.path.basename(path) == "events" and part.endswith(b"\n"):
                count = len(part)   # a read of events ends behind a whole line where it can
            if part != text[place:place + count]:
                problem(path, f"{count} bytes at {place} are others than when read from the start")
        if os.path.basename(path) != "events" and os.pread(fd, 10, len(text) + 10) != b"":
            problem(path, "there is something behind the end")
    except OSError as error:
        problem(path, f"read: {error}")
    finally:
        os.close(fd)


def read_model_file(path):
    size = os.stat(path).st_size
    if size > 0 and os.stat(path).st_blocks == 0:
        problem(path, "st_blocks is 0 for a file with bytes")
    if size > WHOLE_LIMIT:
        return
    fd = os.open(path, os.O_RDONLY)
    try:
        data = b"".join(iter(lambda: os.read(fd, 1 << 20), b""))
        if len(data) != size:
            problem(path, f"stat says {size}, and there are {len(data)} bytes")
        if os.pread(fd, 100, size) != b"":
            problem(path, "there is something behind the end")
    except OSError as error:
        problem(path, f"read: {error}")
    finally:
        os.close(fd)


def walk(path, model_file):
    for name in look_at_folder(path):
        there = os.path.join(path, name)
        mode = os.lstat(there).st_mode
        if stat.S_ISDIR(mode):
            walk(there, model_file or name == "files")
        elif stat.S_ISREG(mode):
            look_at_file(there, model_file)
        elif stat.S_ISLNK(mode):
            os.readlink(there)
        else:
            problem(there, "is neither a folder, nor a file, nor a link")


walk(sys.argv[1], False)
for line in problems:
    print(line, file=sys.stderr)
print(f"{len(inodes)} rows", file=sys.stderr)
sys.exit(bool(problems) or len(inodes) < 30)
