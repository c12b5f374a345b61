# SPDX-License-Identifier: Apache-2.0
"""Loading: of a complete model against the same llama-server on a plain path, and of one that is still on its way
(load=stream) against its transfer alone."""

import http.client
import os
import shutil
import signal
import socket
import time

from bed import MIB, SRC, Trouble, process, run, wait_for
from infer import llama, write
from table import median, spread

NAME, FILE = "bench/half-GGUF", "half-F32.gguf"
SHAPE = ("--layers", "40", "--inner", "16384")     # 506 MB
RATE_MB = 25                                       # of the shaped link, 1 MB/s being 1,000,000 bytes
LOADS, TRANSFERS = 7, 3


def make_model(bed, folder):
    """Kept for the next time, as all that is large."""
    path = os.path.join(bed.repos, NAME)
    kept = os.path.join(bed.data, FILE)
    if not os.path.exists(kept):
        run([os.path.join(folder, "python3"), os.path.join(SRC, "tests/lib/make-tiny-gguf"), *SHAPE, kept + ".new"])
        os.rename(kept + ".new", kept)
    os.makedirs(path, exist_ok=True)
    if not os.path.exists(os.path.join(path, FILE)):
        os.link(kept, os.path.join(path, FILE))
    return kept


class Asked:
    """A mount of its own, with the model known to it and nothing of it here."""

    def __init__(self, bed, hub, *options):
        runtime = os.path.join("/tmp", f"ws{os.getpid()}-{bed.count}")
        self.runtime = runtime
        self.mount = bed.mount(hub, options=[f"llama_server={llama()}/llama-server", f"runtime_folder={runtime}",
                                             "keep_alive_s=-1", *options])

    def __enter__(self):
        self.mount.__enter__()
        self.model = os.path.join(self.mount.point, "hf", NAME)
        os.listdir(self.model)
        return self

    def __exit__(self, *_):
        try:
            write(self.model + "/ctl", "unload force\n")     # it may be reading the mount
            wait_for("the engine's end", lambda: self.state() == "unloaded", 30)
        finally:
            self.mount.__exit__()
            shutil.rmtree(self.runtime, ignore_errors=True)

    def state(self):
        with open(self.model + "/infer/status", encoding="utf-8") as stream:
            return stream.readline().split()[1]

    def pull(self):
        """Seconds."""
        start = time.perf_counter()
        write(self.model + "/ctl", "pull\n")
        state = run(["cat", self.model + "/wait"]).strip()
        if state != "ready":
            raise Trouble(f"the pull ended {state}")
        return time.perf_counter() - start

    def first_token(self):
        """Seconds from the prompt to the first byte of the reply."""
        start = time.perf_counter()
        write(self.model + "/infer/prompt", "Where do you come from?")
        with open(self.model + "/infer/reply", "rb", buffering=0) as reply:
            if not reply.read(1):
                raise Trouble("the reply is empty")
        return time.perf_counter() - start

    def load(self):
        """Seconds from `load` to the state; it is unloaded again."""
        start = time.perf_counter()
        write(self.model + "/ctl", "load\n")
        wait_for("the model to be loaded", lambda: self.state() == "loaded", 120)
        seconds = time.perf_counter() - start
        write(self.model + "/ctl", "unload\n")
        wait_for("the engine's end", lambda: self.state() == "unloaded", 30)
        return seconds


def answers_health(path):
    with socket.socket(socket.AF_UNIX) as link:
        try:
            link.connect(path)
            link.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = http.client.HTTPResponse(link)
            answer.begin()
            return answer.status == 200
        except (OSError, http.client.HTTPException):
            return False


def load_plain(bed, folder, path):
    """Seconds from its start to its health, as we start it."""
    place = bed.place("plain")
    os.makedirs(place)
    address = os.path.join("/tmp", f"ws{os.getpid()}-{bed.count}.sock")
    command = [os.path.join(folder, "llama-server"), "-m", path, "--host", address, "--alias", "plain", "--offline",
               "--no-webui", "-c", "4096", "-np", "1", "--no-kv-unified", "--cache-ram", "0", "-b", "512"]
    start = time.perf_counter()
    with open(bed.log, "ab") as log, process(command, cwd=place, stdout=log, stderr=log,
                                             env={"PATH": "/usr/bin:/bin", "HOME": place}) as child:
        wait_for("the plain server", lambda: answers_health(address) or child.poll() is not None, 120)
        if child.poll() is not None:
            raise Trouble("the plain llama-server did not start")
        seconds = time.perf_counter() - start
        child.send_signal(signal.SIGTERM)
        child.wait(10)
    os.unlink(address)
    return seconds


def complete(bed, table, folder, kept, hub):
    ours, plain = [], []
    with Asked(bed, hub) as asked:
        asked.pull()
        for turn in range(LOADS + 1):
            seconds = asked.load(), load_plain(bed, folder, kept)
            if turn:     # the first ones read both files into the page cache
                ours.append(seconds[0])
                plain.append(seconds[1])
    table.at_most("loading a complete model, in time of loading it from a plain path", 1.05, median(ours) / median(plain),
                  f"{spread(ours, digits=2)} s against {spread(plain, digits=2)} s, from exec to /health; "
                  f"{os.path.getsize(kept) / 1e6:.0f} MB, in the page cache")


def arriving(bed, table, kept, hub):
    rate = f"limit_rate={RATE_MB * 1000000}"
    alone, streamed, after = [], [], []
    for _ in range(TRANSFERS):
        with Asked(bed, hub, rate) as asked:
            alone.append(asked.pull())
        with Asked(bed, hub, rate, "load=stream") as asked:
            streamed.append(asked.first_token())
        with Asked(bed, hub, rate) as asked:
            after.append(asked.first_token())
    table.at_most("prompt to first token, cold, load=stream, in time of the transfer alone", 1.05,
                  median(streamed) / median(alone),
                  f"{spread(streamed, digits=2)} s against {spread(alone, digits=2)} s for {os.path.getsize(kept) / 1e6:.0f} "
                  f"MB at {RATE_MB} MB/s")
    table.report("the same, load=complete", f"{median(after) / median(alone):.2f} x", f"{spread(after, digits=2)} s")


def stream(bed, table):
    folder = llama()
    kept = make_model(bed, folder)
    if shutil.disk_usage(bed.scratch).free < 4096 * MIB:
        raise Trouble("it wants 4 GiB of disk")
    with bed.hub() as hub:
        complete(bed, table, folder, kept, hub)
        arriving(bed, table, kept, hub)
