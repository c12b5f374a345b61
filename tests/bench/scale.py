# SPDX-License-Identifier: Apache-2.0
"""Many models, and many readers: how soon the mount answers, and what it takes of memory."""

import glob
import json
import os
import sqlite3
import subprocess
import time

from bed import GIB, MIB, TOOLS, Mount, Trouble, measure_all, status_of
from table import median, spread

ROUNDS = 7
MODELS, GROUPS = int(os.environ.get("BENCH_MODELS", "10000")), 100
READERS, READ_BYTES = 16, 192 * MIB


class StopWatch(Mount):
    """A mount whose start is timed: from exec until a listing deep in the tree was answered."""

    def __init__(self, bed, store, folder):
        super().__init__(bed, None, store, ())
        self.folder = folder
        self.seconds = None
        self.names = []

    def __enter__(self):
        start = time.monotonic()
        code = subprocess.run(self.command, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False, timeout=60).returncode
        if code:
            raise Trouble(f"weightfs mount failed, exit {code}")
        self.names = sorted(os.listdir(os.path.join(self.point, self.folder)))
        self.seconds = time.monotonic() - start
        with open(os.path.join(self.point, "status.json"), encoding="utf-8") as stream:
            self.pid = json.load(stream)["pid"]
        return self


def multiply(database, model):
    """Makes MODELS models out of the one that was really discovered, in GROUPS groups, each with rows of its own."""
    with sqlite3.connect(database, isolation_level=None) as db:
        db.execute("PRAGMA synchronous = off")
        db.execute("BEGIN")
        span, = db.execute("SELECT max(max(last_id), 1) - min(first_id) + 1 FROM revisions").fetchone()
        db.execute("CREATE TEMP TABLE copies AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
                   "SELECT i FROM n", (MODELS - 1,))
        db.execute("INSERT INTO groups (id, source, name) SELECT 1000 + i, 'hf', 'org' || i FROM copies WHERE i <= ?", (GROUPS,))
        old, revision = db.execute("SELECT id, revision_id FROM models WHERE name = ?", (model,)).fetchone()
        copy(db, "models", f"id = {old}", {
            "id": f"{old} + i", "group_id": f"1001 + i % {GROUPS}", "name": f"'org' || (1 + i % {GROUPS}) || '/model-' || i",
            "revision_id": f"{revision} + i"})
        copy(db, "revisions", f"id = {revision}", {
            "id": f"{revision} + i", "model_id": f"{old} + i", "first_id": f"first_id + i * {span}",
            "last_id": f"last_id + i * {span}", "top_last_id": f"top_last_id + i * {span}"})
        shifted = {name: f"CASE {name} WHEN 0 THEN 0 ELSE {name} + i * {span} END"
                   for name in ("id", "parent_id", "child_first_id", "child_last_id")}
        copy(db, "files", f"revision_id = {revision}", {**shifted, "revision_id": f"{revision} + i",
                                                        "digest": "CASE digest WHEN '' THEN '' ELSE 'sha256-' || "
                                                        "printf('%064x', id * 1000003 + i) END"})
        db.execute("COMMIT")
        count, = db.execute("SELECT count(*) FROM models").fetchone()
        if count != MODELS:
            raise Trouble(f"{count} models in the catalogue, not {MODELS}")


def copy(db, table, where, changes):
    columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
    values = ", ".join(changes.get(name, name) for name in columns)
    db.execute(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table}, copies WHERE {where}")


def known_models(bed, table):
    store = bed.place("store")
    subprocess.run([os.path.join(bed_lib(), "make-model"), bed.repos, "many", "bench/many"], check=True, timeout=60)
    with bed.hub() as hub, bed.mount(hub, store) as mount:
        wanted = sorted(os.listdir(mount.files("bench/many")))
        # The next mounts are at the same place, so that they are the same instance.
        point = mount.point
    databases = glob.glob(os.path.join(store, "instances", "*", "catalog.db"))
    if len(databases) != 1:
        raise Trouble(f"{len(databases)} catalogues in the store")
    multiply(databases[0], "bench/many")
    times, resident, most = [], [], []
    for number in range(ROUNDS + 1):
        watch = StopWatch(bed, store, f"hf/org{7 + number}/model-{6 + number + GROUPS * 42}/files")
        watch.command[-1] = watch.point = point
        try:
            with watch:
                if watch.names != wanted:
                    raise Trouble(f"a model of the catalogue shows {watch.names[:3]} …")
                memory = status_of(watch.pid)
                if number:      # the first one finds the catalogue as no mount left it
                    times.append(watch.seconds)
                    resident.append(memory["VmRSS"])
                    most.append(memory["VmHWM"])
        finally:
            watch.end()
    table.at_most(f"mounted and answering with {MODELS:,} known models", 100, median(times) * 1000, unit=" ms", digits=0,
                  how=f"{spread(times, 1e-3)} ms from exec to a listing of files/")
    table.at_most("resident memory then", 32, median(resident) / MIB, unit=" MiB", digits=1,
                  how=f"{spread(resident, MIB, 1)}; the most so far {median(most) / MIB:.1f} MiB")


def bed_lib():
    return os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lib")


def many_readers(bed, table):
    models = [bed.model(10 * GIB, f"bench/sparse-{number}", sparse=True) for number in range(READERS)]
    with bed.origin() as origin, bed.hub(origin.url) as hub:
        resident, most, times = [], [], []
        for _ in range(5):
            with bed.mount(hub) as mount:
                times.append(measure_all([[os.path.join(TOOLS, "measure"), "sequential", mount.weights(model), "0",
                                           str(READ_BYTES)] for model in models]))
                memory = status_of(mount.pid)
                resident.append(memory["VmRSS"])
                most.append(memory["VmHWM"])
        table.at_most(f"resident memory with {READERS} cold readers of 10 GiB sparse files, the most", 96, median(most) / MIB,
                      unit=" MiB", digits=1, how=f"{spread(most, MIB, 1)}; at the end {median(resident) / MIB:.1f} MiB; "
                      f"{READ_BYTES // MIB} MiB each in {spread(times, digits=1)} s")


def scale(bed, table):
    known_models(bed, table)
    many_readers(bed, table)
