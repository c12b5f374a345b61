# SPDX-License-Identifier: Apache-2.0
"""Complete files: reading them, and opening them."""

import contextlib
import os
import subprocess

from bed import GIB, MIB, TOOLS, Trouble, measure, process, wait_for
from table import MB, median, spread

ROUNDS = 7
RANDOM_READS = 200000
OPENS, OPEN_ROUNDS = 5000, 21

WAYS = [  # name, arguments of measure after the file, least ratio, least ratio with passthrough=off in the second pass
    ("sequential", (), 0.95, 0.6),
    ("mapped", (), 0.95, 0.6),
    ("touched", (), None, None),
    ("random", (4096, RANDOM_READS, 1, "warm"), 0.90, 0.6),
]
NAMES = {"sequential": "sequential read", "mapped": "mmap read", "touched": "mmap, one byte a page", "random": "random 4 KiB"}


def compare(way, arguments, there, here):
    """Speeds of both, in turns, so that what else the machine does hits both."""
    speeds = {there: [], here: []}
    for path in speeds:
        measure(way, path, *arguments)      # for `here` this is the first pass
    for number in range(ROUNDS):
        for path in (there, here) if number % 2 else (here, there):
            seconds, count, *_ = measure(way, path, *arguments)
            speeds[path].append(count / seconds)
    return speeds[there], speeds[here]


def ratio_of(here, there):
    """Of each turn by itself, since the machine is not always as fast."""
    return median([one / other for one, other in zip(here, there)])


def add_rows(table, title, column, direct, mounted):
    for way, arguments, *least in WAYS:
        there, here = compare(way, arguments, direct, mounted)
        what, ratio = f"{title} {NAMES[way]}, of the same directly", ratio_of(here, there)
        if least[column] is None:
            table.report(what, f"{ratio:.2f}", speeds_of(way, here, there))
        else:
            table.at_least(what, least[column], ratio, speeds_of(way, here, there))


def speeds_of(way, here, there):
    if way == "random":
        unit, name = 4096 * 1000, "thousand reads/s"
    else:
        unit, name = MB, "MB/s"
    return f"{spread(here, unit)} {name} against {spread(there, unit)}"


def warm(bed, table):
    model = bed.model(GIB)
    store = bed.place("store")
    with bed.origin() as origin, bed.hub(origin.url) as hub:
        with bed.mount(hub, store) as mount:
            direct = mount.pull(model)
            add_rows(table, "warm", 0, direct, mount.weights(model))
        least_overhead(bed, table, direct)
        with bed.mount(hub, store, ["passthrough=off"]) as mount:
            path = mount.weights(model)
            seconds, count = measure("sequential", path)
            table.report("passthrough=off, first pass", f"{count / seconds / MB:.0f} MB/s")
            add_rows(table, "passthrough=off, second pass", 1, direct, path)


def least_overhead(bed, table, direct):
    """What the kernel alone takes for small reads: the same through the bare file system."""
    way, arguments, *_ = WAYS[-1]
    with bare_passthrough(bed, os.path.dirname(direct)) as bare:
        there, here = compare(way, arguments, direct, os.path.join(bare, os.path.basename(direct)))
    table.report(f"a bare passthrough file system, {NAMES[way]}, of the same directly", f"{ratio_of(here, there):.2f}",
                 speeds_of(way, here, there))


@contextlib.contextmanager
def bare_passthrough(bed, folder):
    """The least that a file system with passthrough can do, over that folder; its mountpoint."""
    program = os.path.join(TOOLS, "passthroughfs")
    if not os.access(program, os.X_OK):
        raise Trouble("there is no tools/passthroughfs to compare with")
    point = bed.place("bare")
    os.makedirs(point)
    with process([program, folder, point], stdout=subprocess.DEVNULL) as child:
        try:
            wait_for("the bare file system", lambda: os.path.ismount(point) or child.poll() is not None)
            if child.poll() is not None:
                raise Trouble("the bare passthrough file system did not start")
            yield point
        finally:
            subprocess.run(["umount", point], check=False, timeout=30, stderr=subprocess.DEVNULL)


def opens(bed, table):
    model = bed.model(16 * MIB)
    with bed.origin() as origin, bed.hub(origin.url) as hub, bed.mount(hub) as mount:
        blob = mount.pull(model)
        path = mount.weights(model)
        with bare_passthrough(bed, os.path.dirname(blob)) as bare:
            rates = {path: [], os.path.join(bare, os.path.basename(blob)): []}
            for _ in range(OPEN_ROUNDS):
                for file, found in rates.items():
                    seconds, count = measure("opens", file, OPENS)
                    found.append(count / seconds)
            here, there = rates.values()
            table.at_least("open+close of a complete file, of a bare passthrough file system", 0.9,
                           ratio_of(here, there), f"{spread(here)} a second against {spread(there)}")
