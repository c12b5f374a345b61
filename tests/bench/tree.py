# SPDX-License-Identifier: Apache-2.0
"""Walking over what is known: find -ls over many models, against the same tree on the disk; texts; commands."""

import glob
import json
import os
import shutil
import subprocess
import time

from bed import MIB, Trouble, status_of
from scale import MODELS, multiply
from table import median, spread

FILES, FILE_BYTES = 20, 1000
ROUNDS = 5


def make_repository(bed, name):
    """FILES small files, three of them in a folder, as repositories of models have them."""
    folder = os.path.join(bed.repos, name)
    for number in range(FILES):
        place = os.path.join(folder, "extra" if number % 7 == 6 else "", f"file-{number:02}.json")
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "w", encoding="utf-8") as stream:
            stream.write(json.dumps({"number": number, "fill": "x" * FILE_BYTES}))
    return folder


def names_of(point):
    return sorted(os.path.relpath(path, point) for path in glob.glob(os.path.join(glob.escape(point), "hf/*/*/files")))


def make_plain(place, repository, names):
    """The same names with the same bytes, on the disk that the store is on."""
    files = [os.path.relpath(os.path.join(at, name), repository) for at, _, held in os.walk(repository) for name in held]
    for name in names:
        for path in files:
            to = os.path.join(place, name, path)
            os.makedirs(os.path.dirname(to), exist_ok=True)
            shutil.copyfile(os.path.join(repository, path), to)
    return len(files)


# Below infer/, but no texts: how long they are is not told before they are read.
ANSWERS = (b"/infer/reply", b"/infer/error", b"/infer/ask")


def texts_in(listing):
    """How many lines of find -ls are of texts: files of ours."""
    return sum(1 for line in listing.splitlines() if line.split(None, 3)[2][:1] == b"-" and b"/files/" not in line
               and not line.endswith(ANSWERS))


def find(point, what, look=lambda listing: listing.count(b"\n")):
    """Seconds of find -ls, and how many lines it printed, or what else is looked for in them."""
    start = time.monotonic()
    done = subprocess.run(["find", *what, "-ls"], cwd=point, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=600)
    seconds = time.monotonic() - start
    if done.returncode or done.stderr:
        raise Trouble(f"find: {done.stderr[:200].decode(errors='replace')}")
    return seconds, look(done.stdout)


def metric(point, name):
    with open(os.path.join(point, "metrics"), encoding="utf-8") as stream:
        return next(float(line.split()[-1]) for line in stream if line.startswith(name + " "))


def forget_caches():
    """What the kernel knows of names and attributes, of both trees."""
    subprocess.run(["sync"], check=True)
    with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as stream:
        stream.write("2")


def files_part(table, point, plain, names):
    wanted = None
    first_ours, first_theirs, ours, theirs = [], [], [], []
    for _ in range(3):
        forget_caches()
        seconds, lines = find(point, names)
        first_ours.append(seconds)
        forget_caches()
        seconds, others = find(plain, names)
        first_theirs.append(seconds)
        wanted = wanted or lines
        if lines != others or lines != wanted or lines < len(names) * FILES:
            raise Trouble(f"find printed {lines} lines here and {others} there")
    for _ in range(ROUNDS):
        ours.append(find(point, names)[0])
        theirs.append(find(plain, names)[0])
    what = f"find -ls over files/ of {len(names):,} models x {FILES}"
    table.at_most(f"{what}, warm", 2, median(ours) / median(theirs), unit=" x", digits=2,
                  how=f"{spread(ours, digits=2)} s, on the disk {spread(theirs, digits=2)} s")
    table.at_most(f"{what}, names and attributes dropped", 5, median(first_ours) / median(first_theirs), unit=" x", digits=2,
                  how=f"{spread(first_ours, digits=2)} s, on the disk {spread(first_theirs, digits=2)} s")


def whole_part(table, point, names):
    """All texts: twice as many models take twice as long, and a walk makes no text twice."""
    made = "weightfs_tree_texts_made_total"
    models = [os.path.dirname(name) for name in names]
    times, ratios = [], []
    few, many = models[:len(models) // 4], models[len(models) // 4:len(models) // 4 * 3]
    for _ in range(3):
        small, small_lines = find(point, few)
        before = metric(point, made)
        large, (large_lines, texts) = find(point, many, lambda listing: (listing.count(b"\n"), texts_in(listing)))
        ratios.append((metric(point, made) - before) / texts)
        times.append(large / large_lines / (small / small_lines))
    table.at_most(f"find -ls over all of {len(many):,} models, a line, against {len(few):,}", 1.2, median(times), unit=" x", digits=2,
                  how=spread(times, digits=2))
    table.at_most("texts that it made, for each text it listed", 1.01, max(ratios), unit=" x", digits=3, how=f"{spread(ratios, digits=3)}")


def status_part(table, point):
    times = []
    for _ in range(400):
        start = time.monotonic()
        with open(os.path.join(point, "status"), "rb", buffering=0) as stream:
            while stream.read(65536):
                pass
        times.append(time.monotonic() - start)
    table.at_most(f"open, read and close of status, {MODELS:,} models", 1, median(times) * 1000, unit=" ms", digits=3,
                  how=f"{spread(times, 1e-3, 3)} ms")
    fresh = []
    for _ in range(30):
        time.sleep(1.01)    # a text may be a second old: then it is printed anew
        start = time.monotonic()
        with open(os.path.join(point, "status"), "rb", buffering=0) as stream:
            stream.read(65536)
        fresh.append(time.monotonic() - start)
    table.at_most("the same, printed anew", 1, median(fresh) * 1000, unit=" ms", digits=3, how=f"{spread(fresh, 1e-3, 3)} ms")


def command_part(table, point, names):
    times = []
    for number in range(min(400, MODELS)):
        ctl = os.open(os.path.join(point, os.path.dirname(names[number]), "ctl"), os.O_WRONLY)
        start = time.monotonic()
        os.write(ctl, b"pin\n" if number % 2 else b"unpin\n")
        times.append(time.monotonic() - start)
        os.close(ctl)
    table.at_most(f"write of a command (pin, unpin), {MODELS:,} models", 5, median(times) * 1000, unit=" ms", digits=2, how=f"{spread(times, 1e-3, 2)} ms")


def listing_part(table, point, pid):
    """What else is looked at often, and what all of this has taken of memory."""
    for folder in ("by/category", "by/state"):
        times = []
        for _ in range(20):
            start = time.monotonic()
            values = os.listdir(os.path.join(point, folder))
            times.append(time.monotonic() - start)
        table.report(f"ls of {folder}, {MODELS:,} models", f"{median(times) * 1000:.2f} ms",
                     f"{spread(times, 1e-3, 2)} ms; {len(values)} names")
    memory = status_of(pid)
    table.report(f"resident memory after all of this, {MODELS:,} models", f"{memory['VmRSS'] / MIB:.1f} MiB",
                 f"the most {memory['VmHWM'] / MIB:.1f} MiB")


def tree(bed, table):
    store = bed.place("store")
    repository = make_repository(bed, "bench/twenty")
    with bed.hub() as hub, bed.mount(hub, store) as mount:
        if not os.listdir(mount.files("bench/twenty")):
            raise Trouble("a model of 20 files shows none")
        point = mount.point
    multiply(glob.glob(os.path.join(store, "instances", "*", "catalog.db"))[0], "bench/twenty")
    plain = bed.place("plain")
    with bed.hub() as hub:
        mount = bed.mount(hub, store)
        mount.command[-1] = mount.point = point
        with mount:
            names = names_of(point)
            if len(names) != MODELS:
                raise Trouble(f"{len(names)} models in the tree, not {MODELS}")
            make_plain(plain, repository, names)
            files_part(table, point, plain, names)
            whole_part(table, point, names)
            status_part(table, point)
            command_part(table, point, names)
            listing_part(table, point, mount.pid)
