# SPDX-License-Identifier: Apache-2.0
"""Validating: against sha256sum and openssl dgst, one file on one core, and as many files as there are cores."""

import os
import time

from bed import MIB, measure_all, run
from table import MB, median, spread

ROUNDS = 5
EACH = int(os.environ.get("BENCH_CHECK_MIB", "512")) * MIB


def write(path, text):
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)


def validate_one(mount, model):
    """Seconds of one model."""
    folder = os.path.join(mount.point, "hf", model)
    start = time.monotonic()
    write(os.path.join(folder, "ctl"), "validate\n")
    run(["cat", os.path.join(folder, "wait")])
    return time.monotonic() - start


def validate_all(mount):
    start = time.monotonic()
    write(os.path.join(mount.point, "ctl"), "validate\n")
    job = max(os.listdir(os.path.join(mount.point, "jobs")), key=lambda name: int(name) if name.isdigit() else 0)
    run(["cat", os.path.join(mount.point, "jobs", job, "wait")])
    return time.monotonic() - start


def compare(table, what, size, there, here):
    """Speeds of both, in turns."""
    speeds = {there: [], here: []}
    there(), here()     # into the page cache
    for number in range(ROUNDS):
        for way in (there, here) if number % 2 else (here, there):
            speeds[way].append(size / way())
    ratio = median([one / other for one, other in zip(speeds[here], speeds[there])])
    table.at_least(what, 0.9, ratio, f"{spread(speeds[here], MB)} MB/s against {spread(speeds[there], MB)}")


def check(bed, table):
    cores = os.cpu_count()
    models = [bed.model(EACH + number * MIB) for number in range(cores)]
    total = sum(EACH + number * MIB for number in range(cores))
    with bed.origin() as origin, bed.hub(origin.url) as hub, bed.mount(hub) as mount:
        blobs = [mount.pull(model) for model in models]
        compare(table, "validate, one file, of sha256sum", EACH,
                lambda: measure_all([["sha256sum", blobs[0]]]), lambda: validate_one(mount, models[0]))
        # The coreutils have a SHA-256 of their own, which knows no instructions for it; we use OpenSSL's.
        compare(table, "validate, one file, of openssl dgst", EACH,
                lambda: measure_all([["openssl", "dgst", "-sha256", blobs[0]]]), lambda: validate_one(mount, models[0]))
        compare(table, f"validate, {cores} files at once, of as many sha256sum", total,
                lambda: measure_all([["sha256sum", blob] for blob in blobs]), lambda: validate_all(mount))
        compare(table, f"validate, {cores} files at once, of as many openssl dgst", total,
                lambda: measure_all([["openssl", "dgst", "-sha256", blob] for blob in blobs]), lambda: validate_all(mount))
