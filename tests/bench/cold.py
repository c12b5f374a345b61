# SPDX-License-Identifier: Apache-2.0
"""Files that are not here yet: reading them once, at random places, and by many at the same time."""

import os
import shutil
import subprocess
import time

from bed import GIB, LIMIT_S, MIB, TOOLS, Trouble, measure, measure_all, run
from table import MB, median, spread

ROUNDS = 5
RATE = 50_000_000
LATENCY_MS = 30
CONNECTIONS = 8
READERS = 16


def read_cold(bed, hub, model):
    """Seconds of one sequential read through a mount with an empty store; the model is known before."""
    with bed.mount(hub, options=[f"max_connections={CONNECTIONS}"]) as mount:
        return measure("sequential", mount.weights(model))[0]


def parallel_curls(url, size, connections):
    """Seconds that so many connections need for the whole file, a part of it each, thrown away."""
    ends = [size * part // connections for part in range(connections + 1)]
    return measure_all([["curl", "-sSf", "-o", "/dev/null", "-r", f"{start}-{end - 1}", url]
                        for start, end in zip(ends, ends[1:])])


def limited(bed, table):
    for size in (GIB, 4 * GIB):
        model = bed.model(size)
        with bed.origin(RATE, LATENCY_MS) as origin, bed.hub(origin.url, LATENCY_MS) as hub:
            url = f"{origin.url}/{model}/weights.bin"
            ours, curls, used = [], [], []
            for _ in range(ROUNDS):
                origin.figures()
                ours.append(read_cold(bed, hub, model))
                used.append(origin.figures()[2] / 1000 / ours[-1])
                curls.append(parallel_curls(url, size, max(round(used[-1]), CONNECTIONS)))
            table.at_least(f"cold sequential, {size // GIB} GiB, 50 MB/s a connection, {LATENCY_MS} ms, of parallel curl -r",
                           0.95, median(curls) / median(ours),
                           f"{spread(ours, digits=2)} s against {spread(curls, digits=2)} s of {CONNECTIONS} curls; we used "
                           f"{median(used):.1f} connections on average")


def loopback(bed, table):
    model = bed.model(GIB)
    copy = bed.place("copy")
    with bed.nginx() as cdn, bed.hub(cdn) as hub:
        url = f"{cdn}/{model}/weights.bin"
        ours, fetched, digested = [], [], []
        for _ in range(ROUNDS):
            ours.append(read_cold(bed, hub, model))
            start = time.monotonic()
            run(["curl", "-sSf", "-o", copy, url])
            fetched.append(time.monotonic() - start)
            run(["sha256sum", copy])
            digested.append(time.monotonic() - start)
            os.unlink(copy)
        table.at_most("cold sequential on bare loopback, 1 GiB, time of curl -o && sha256sum", 1.0,
                      median(ours) / median(digested),
                      f"{spread(ours, digits=2)} s against {spread(digested, digits=2)} s")
        table.report("the same, time of curl -o alone", f"{median(ours) / median(fetched):.2f} x",
                     f"against {spread(fetched, digits=2)} s")
        peers(bed, table, url, median(ours))


def peers(bed, table, url, ours):
    if not shutil.which("rclone"):
        return
    base, _, name = url.rpartition("/")
    times = []
    for _ in range(ROUNDS):
        point, cache = bed.place("rclone"), bed.place("rclone-cache")
        os.makedirs(point)
        run(["rclone", "mount", "--daemon", "--read-only", "--vfs-cache-mode", "full", "--cache-dir", cache, "--config", "",
             "--http-url", base, ":http:", point], limit_s=30)
        try:
            times.append(measure("sequential", os.path.join(point, name))[0])
        finally:
            subprocess.run(["umount", point], check=False, timeout=30)
            shutil.rmtree(cache, ignore_errors=True)
    table.report("rclone mount (vfs-cache-mode full, verifies nothing), the same file", f"{median(times):.2f} s",
                 f"{median(times) / ours:.2f} x our time")


def ranged_gets(bed, url, size, places, piece):
    """Seconds of each of some ranged GETs on one connection; the first one, which connects, is left out."""
    config = bed.place("curl")
    with open(config, "w", encoding="ascii") as stream:
        stream.write("next\n".join(
            f'silent\nfail\nurl = "{url}"\nrange = {at}-{at + piece - 1}\noutput = /dev/null\n'
            'write-out = "%{time_total} %{num_connects}\\n"\n' for at in places))
    lines = [line.split() for line in run(["curl", "-K", config]).splitlines()][1:]
    if len(lines) != len(places) - 1 or any(connects != "0" for _, connects in lines):
        raise Trouble("curl did not keep its connection")
    return [float(seconds) for seconds, _ in lines]


def random_reads(bed, table):
    size, piece, count = 4 * GIB, 64 << 10, 64
    model = bed.model(size)
    places = [(number * 997 % count) * (size // count) + 7 * piece for number in range(count)]
    for rate, latency_ms, title in ((RATE, LATENCY_MS, f"{LATENCY_MS} ms"), (0, 0, "bare loopback")):
        with bed.origin(rate, latency_ms) as origin, bed.hub(origin.url, latency_ms) as hub, bed.mount(hub) as mount:
            path, url = mount.weights(model), f"{origin.url}/{model}/weights.bin"
            measure("random", path, piece, 2, 99)      # where the bytes are is found out once
            ours, tails, gets, sent = [], [], [], []
            for number in range(ROUNDS):
                origin.figures()
                _, _, p50, p99 = measure("random", path, piece, count, number)
                sent.append(origin.figures()[0] / count)
                ours.append(p50)
                tails.append(p99)
                gets.append(median(ranged_gets(bed, url, size, places, piece)))
            table.at_most(f"cold random 64 KiB, {title}, p50 of one ranged GET", 1.5, median(ours) / median(gets),
                          f"{spread(ours, 1e-3, 2)} ms against {spread(gets, 1e-3, 2)}; p99 {median(tails) * 1e3:.1f} ms; "
                          f"{median(sent) / 1024:.0f} KiB from the network each")


def shared(bed, table):
    size = 256 * MIB
    model = bed.model(size)
    with bed.origin() as origin, bed.hub(origin.url) as hub:
        ratios, times = [], []
        for _ in range(ROUNDS):
            with bed.mount(hub) as mount:
                path = mount.weights(model)
                origin.figures()
                times.append(measure_all([[os.path.join(TOOLS, "measure"), "sequential", path]] * READERS, LIMIT_S))
                ratios.append(origin.figures()[0] / size)
        table.at_most(f"network bytes, {READERS} readers of one cold file at once", 1.0, max(ratios),
                      f"the worst of {ROUNDS}; {spread(times, digits=2)} s for {size // MIB} MiB")
