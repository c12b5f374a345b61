# SPDX-License-Identifier: Apache-2.0
"""The test bed: files to serve, servers, mounts, and readers. Everything that is started ends with its `with`."""

import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time

SRC = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(SRC, "build")))
WEIGHTFS = os.path.abspath(os.environ.get("WEIGHTFS", os.path.join(BUILD, "weightfs")))
TOOLS = os.path.join(BUILD, "release", "tools")
MIB, GIB = 1 << 20, 1 << 30
LIMIT_S = 120     # of anything that is waited for


class Trouble(Exception):
    """Something could not be measured; the sentence says why."""


def wait_for(what, condition, limit_s=15.0):
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            raise Trouble(f"{what}: not within {limit_s:.0f} s")
        time.sleep(0.005)


def run(command, limit_s=LIMIT_S, **options):
    """Its output; a Trouble when it fails or takes too long."""
    try:
        done = subprocess.run(command, check=False, timeout=limit_s, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, **options)
    except subprocess.TimeoutExpired as late:
        raise Trouble(f"{' '.join(command)[:200]}: not within {limit_s} s") from late
    if done.returncode:
        raise Trouble(f"{' '.join(command)[:200]}: exit {done.returncode}: {done.stderr.strip()[-300:]}")
    return done.stdout


def measure(*arguments):
    """tests/tools/measure; its figures."""
    return [float(word) for word in run([os.path.join(TOOLS, "measure"), *map(str, arguments)]).split()]


def measure_all(commands, limit_s=LIMIT_S):
    """Several at once; the seconds until the last one had ended."""
    start = time.monotonic()
    with contextlib.ExitStack() as stack:
        children = [stack.enter_context(process(command, stdout=subprocess.DEVNULL)) for command in commands]
        for child in children:
            try:
                code = child.wait(max(start + limit_s - time.monotonic(), 0.01))
            except subprocess.TimeoutExpired as late:
                raise Trouble(f"{' '.join(child.args)[:200]}: not within {limit_s} s") from late
            if code:
                raise Trouble(f"{' '.join(child.args)[:200]}: exit {code}")
        return time.monotonic() - start


@contextlib.contextmanager
def process(command, **options):
    child = subprocess.Popen(command, stdin=options.pop("stdin", subprocess.DEVNULL), **options)
    try:
        yield child
    finally:
        if child.stdin:
            child.stdin.close()
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(5)
            except subprocess.TimeoutExpired:
                child.kill()
                # One that hangs in a mount ends when the mount does, later.


def status_of(pid):
    """Fields of /proc/PID/status; sizes in bytes."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as stream:
        pairs = (line.split(":", 1) for line in stream)
        return {name: int(value.split()[0]) * 1024 for name, value in pairs if value.strip().endswith("kB")}


class Bed:
    """A scratch folder with repositories in it; `data` outlives it, to be served again next time."""

    def __init__(self):
        top = os.environ.get("BENCH_DIR") or os.path.join(BUILD, "bench")
        self.data = os.path.join(top, "data")
        self.scratch = os.path.join(top, f"run.{os.getpid()}")
        self.repos = os.path.join(self.scratch, "repos")
        self.log = os.path.join(self.scratch, "log")
        os.makedirs(self.data, exist_ok=True)
        os.makedirs(self.repos)
        self.count = 0

    def place(self, name):
        """A fresh path."""
        self.count += 1
        return os.path.join(self.scratch, f"{name}-{self.count}")

    def clear(self):
        shutil.rmtree(self.scratch, ignore_errors=True)

    # ------------------------------------------------------------------------------------------------ what is served

    def noise(self, size):
        """A file of that many bytes, no two MiB of it alike, and its SHA-256; kept for the next time."""
        path = os.path.join(self.data, f"noise-{size}")
        if not os.path.exists(path + ".sha256"):
            print(f"making a file of {size // MIB} MiB", flush=True)
            digest, block = hashlib.sha256(), bytearray(os.urandom(MIB))
            with open(path, "wb") as stream:
                for number in range(size // MIB):
                    block[:8] = number.to_bytes(8, "big")
                    digest.update(block)
                    stream.write(block)
            with open(path + ".sha256", "w", encoding="ascii") as stream:
                stream.write(digest.hexdigest())
        with open(path + ".sha256", encoding="ascii") as stream:
            return path, stream.read()

    def model(self, size, name=None, sparse=False):
        """A repository of one file, weights.bin; its name."""
        name = name or f"bench/noise-{size // MIB}"
        folder = os.path.join(self.repos, name)
        if os.path.isdir(folder):
            return name
        os.makedirs(folder)
        weights = os.path.join(folder, "weights.bin")
        if sparse:
            with open(weights, "wb") as stream:
                stream.truncate(size)
            sha256 = hashlib.sha256(name.encode()).hexdigest()     # nobody will read it to the end
        else:
            path, sha256 = self.noise(size)
            os.link(path, weights)
        with open(os.path.join(folder, ".repo.json"), "w", encoding="utf-8") as stream:
            json.dump({"declared": {"weights.bin": sha256}}, stream)
        return name

    # --------------------------------------------------------------------------------------------------- who serves

    @contextlib.contextmanager
    def hub(self, cdn_base=None, latency_ms=0):
        """The Hub of tests/lib on all models that were made before; its URL."""
        state = self.place("hub")
        command = [os.path.join(SRC, "tests/lib/hub"), "--repos", self.repos, "--state", state,
                   "--latency-ms", str(latency_ms)] + (["--cdn-base", cdn_base] if cdn_base else [])
        ready = os.path.join(state, "ready")
        with open(self.log, "ab") as log, process(command, stdout=log, stderr=log) as child:
            wait_for("the test Hub", lambda: os.path.exists(ready) or child.poll() is not None, 60)
            if child.poll() is not None:
                raise Trouble(f"the test Hub did not start; see {self.log}")
            with open(ready, encoding="ascii") as stream:
                yield dict(line.strip().split("=", 1) for line in stream)["HUB_URL"]

    @contextlib.contextmanager
    def origin(self, rate=0, latency_ms=0):
        """tests/tools/fileserver; an object with url and figures()."""
        command = [os.path.join(TOOLS, "fileserver"), self.repos, str(rate), str(latency_ms)]
        with process(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
            port = child.stdout.readline().strip()
            if not port:
                raise Trouble("the file server did not start")
            yield Origin(child, f"http://localhost:{port}")

    @contextlib.contextmanager
    def nginx(self):
        """As a child of ours in a folder of ours; its URL."""
        program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
        if not program:
            raise Trouble("no nginx here")
        prefix = self.place("nginx")
        os.makedirs(prefix)
        port = free_port()
        user = "user root;" if os.getuid() == 0 else ""
        paths = " ".join(f"{name}_temp_path {prefix}/{name};" for name in
                         ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        config = os.path.join(prefix, "nginx.conf")
        with open(config, "w", encoding="utf-8") as stream:
            stream.write(f"""daemon off; {user} worker_processes 2; pid {prefix}/pid; error_log {prefix}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; {paths}
    server {{ listen 127.0.0.1:{port}; root {self.repos}; }}
}}
""")
        command = [program, "-p", prefix, "-c", config, "-e", f"{prefix}/error.log"]
        with process(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
            wait_for("nginx", lambda: answers(port) or child.poll() is not None)
            if child.poll() is not None:
                raise Trouble(f"nginx did not start; see {prefix}/error.log")
            yield f"http://localhost:{port}"

    def mount(self, hub=None, store=None, options=()):
        return Mount(self, hub, store, options)


class Origin:
    def __init__(self, child, url):
        self.child, self.url = child, url

    def figures(self):
        """(bytes of bodies, requests, milliseconds that answers took, added up) since they were asked for last."""
        self.child.stdin.write("\n")
        self.child.stdin.flush()
        return tuple(int(word) for word in self.child.stdout.readline().split())


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Mount:
    """A mount with a store of its own, which goes with it unless it was named. The daemon sees a clean environment."""

    def __init__(self, bed, hub, store, options):
        self.bed = bed
        self.point = bed.place("mnt")
        self.store = store or bed.place("store")
        self.own_store = store is None
        self.home = bed.place("home")
        os.makedirs(self.point)
        os.makedirs(self.home)
        self.environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin:/usr/sbin:/sbin"), "LC_ALL": "C.UTF-8",
                            "HOME": self.home, "TMPDIR": bed.scratch, "XDG_RUNTIME_DIR": self.home,
                            "HF_ENDPOINT": hub or "http://127.0.0.1:1"}
        self.command = [WEIGHTFS, "mount", "--store", self.store,
                        *(part for option in options for part in ("-o", option)), self.point]
        self.pid = None

    def __enter__(self):
        with open(self.bed.log, "ab") as log:
            try:
                code = subprocess.run(self.command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                      check=False, timeout=30).returncode
            except subprocess.TimeoutExpired:
                code = "none: it hung"
        if code or not self.is_mounted():
            self.end()
            raise Trouble(f"weightfs mount failed, exit {code}; see {self.bed.log}")
        with open(os.path.join(self.point, "status.json"), encoding="utf-8") as stream:
            self.pid = json.load(stream)["pid"]
        return self

    def __exit__(self, *_):
        self.end()

    def is_mounted(self):
        with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as stream:
            return any(line.split()[4] == self.point for line in stream)

    def end(self):
        if self.is_mounted():
            done = subprocess.run(["umount", self.point], check=False, timeout=30, stderr=subprocess.DEVNULL)
            if done.returncode:
                abort(self.point)
        if self.pid:
            try:
                wait_for("the end of the daemon", lambda: not os.path.exists(f"/proc/{self.pid}"), 20)
            except Trouble:
                os.kill(self.pid, signal.SIGKILL)
        if self.own_store:
            shutil.rmtree(self.store, ignore_errors=True)

    def files(self, model):
        return os.path.join(self.point, "hf", model, "files")

    def weights(self, model):
        """The path of the model's file; the model is known afterwards."""
        os.listdir(self.files(model))
        return os.path.join(self.files(model), "weights.bin")

    def pull(self, model):
        """To the end; the path of the file in the store."""
        self.weights(model)
        folder = os.path.join(self.point, "hf", model)
        with open(os.path.join(folder, "ctl"), "w", encoding="utf-8") as stream:
            stream.write("pull\n")
        state = run(["cat", os.path.join(folder, "wait")]).strip()
        if state != "ready":
            raise Trouble(f"pull of {model} ended {state}")
        digest = os.getxattr(self.weights(model), "user.weightfs.sha256").decode()
        return os.path.join(self.store, "blobs", "sha256", digest[:2], digest)


def abort(point):
    """For a mount that hangs: its connection is ended, then what is left of it is taken away."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as stream:
        for line in stream:
            fields = line.split()
            if fields[4] == point:
                with contextlib.suppress(OSError), open(
                        f"/sys/fs/fuse/connections/{fields[2].split(':')[1]}/abort", "w", encoding="ascii") as door:
                    door.write("1")
    subprocess.run(["umount", "-l", point], check=False, timeout=30, stderr=subprocess.DEVNULL)
