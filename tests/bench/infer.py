# SPDX-License-Identifier: Apache-2.0
"""The endpoint against the llama-server behind it, asked directly: how much later the first byte comes, what a token costs,
and what 32 streams at once get."""

import glob
import json
import os
import socket
import statistics
import subprocess
import time

from bed import BUILD, SRC, Trouble, run, wait_for
from table import spread

NAME = "bench/endless-GGUF"
TURNS = 15
TOKENS = 512
STREAMS, STREAM_TOKENS, STREAM_TURNS = 32, 128, 5
MS = 1e-3


def llama():
    folder = os.path.realpath(os.path.join(os.environ.get("DEPS", BUILD), "llama"))
    if not os.access(os.path.join(folder, "llama-server"), os.X_OK):
        raise Trouble("there is no llama-server; make deps provides one")
    return folder


def make_model(bed, folder):
    path = os.path.join(bed.repos, NAME)
    if not os.path.isdir(path):
        os.makedirs(path)
        run([os.path.join(folder, "python3"), os.path.join(SRC, "tests/lib/make-tiny-gguf"),
             os.path.join(path, "endless-F32.gguf"), "endless"])


# ---------------------------------------------------------------------------------------------------------- asking

def body(tokens, question):
    return json.dumps({"messages": [{"role": "user", "content": question}], "stream": True, "max_tokens": tokens,
                       "cache_prompt": False, "stream_options": {"include_usage": True}}).encode()


def ask_server(path, tokens, question):
    """(seconds to the first piece of text, seconds in all): the stream of the server's own socket, as curl -N reads it."""
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(60)
        link.connect(path)
        data = body(tokens, question)
        start = time.perf_counter()
        link.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                     b"Content-Length: %d\r\n\r\n" % len(data) + data)
        first, tail = None, b""
        while b"[DONE]" not in tail:
            piece = link.recv(65536)
            if not piece:
                raise Trouble("the server hung up")
            tail = tail[-1024:] + piece
            if first is None and b'"content":"' in tail:
                first = time.perf_counter() - start
        return first, time.perf_counter() - start


def ask_files(model, question):
    """The same through `prompt` and `reply`."""
    start = time.perf_counter()
    prompt = os.open(model + "/infer/prompt", os.O_WRONLY)
    os.write(prompt, question.encode())
    os.close(prompt)
    reply = os.open(model + "/infer/reply", os.O_RDONLY)
    try:
        if not os.read(reply, 65536):
            raise Trouble("the reply is empty")
        first = time.perf_counter() - start
        while os.read(reply, 65536):
            pass
        return first, time.perf_counter() - start
    finally:
        os.close(reply)


def write(path, text):
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)


class Loaded:
    """A mount with the model loaded in the real server."""

    def __init__(self, bed, slots):
        self.folder = llama()
        self.bed = bed
        make_model(bed, self.folder)
        self.runtime = os.path.join("/tmp", f"wb{os.getpid()}-{bed.count}")
        self.options = (f"llama_server={self.folder}/llama-server", f"runtime_folder={self.runtime}", f"slots={slots}",
                        "context_tokens=2048", "keep_alive_s=-1")

    def __enter__(self):
        self.hub = self.bed.hub()
        self.mount = self.bed.mount(self.hub.__enter__(), options=self.options)
        self.mount.__enter__()
        self.model = os.path.join(self.mount.point, "hf", NAME)
        os.listdir(self.model)
        write(self.model + "/ctl", "load\n")
        wait_for("the model to be loaded", lambda: self.status()["state"] == "loaded", 60)
        self.server = glob.glob(self.runtime + "/*/*/llama.sock")[0]
        return self

    def __exit__(self, *_):
        self.mount.__exit__()
        self.hub.__exit__(None, None, None)

    def status(self):
        with open(self.model + "/infer/status.json", encoding="utf-8") as stream:
            return json.load(stream)


# ------------------------------------------------------------------------------------------------------- one stream

def one_stream(loaded, table):
    firsts, tokens = {"direct": [], "files": []}, {"direct": [], "files": []}
    write(loaded.model + "/infer/params", f"max_tokens {TOKENS}\n")
    for turn in range(TURNS + 2):
        for way, ask in (("direct", lambda question: ask_server(loaded.server, TOKENS, question)),
                         ("files", lambda question: ask_files(loaded.model, question))):
            first, total = ask(f"turn {turn} {way}")
            if turn >= 2:     # the first two warm it up
                firsts[way].append(first)
                tokens[way].append((total - first) / (TOKENS - 1))
    later = statistics.median(firsts["files"]) - statistics.median(firsts["direct"])
    dearer = statistics.median(tokens["files"]) - statistics.median(tokens["direct"])
    table.at_most("first byte of an answer, later than asked directly", 3, later / MS, unit=" ms",
                  how=f"{spread(firsts['files'], MS, 2)} ms against {spread(firsts['direct'], MS, 2)} ms; {TURNS} turns each")
    table.at_most("a token, dearer than asked directly", 0.1, dearer / MS, unit=" ms", digits=3,
                  how=f"{spread(tokens['files'], MS, 3)} ms against {spread(tokens['direct'], MS, 3)} ms; {TOKENS} tokens, "
                      "6 MiB model")


# ------------------------------------------------------------------------------------------------------ many at once

def all_at_once(commands):
    """Seconds until the last has ended."""
    start = time.perf_counter()
    children = [subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                for command in commands]
    codes = [child.wait(120) for child in children]
    if any(codes):
        raise Trouble(f"{sum(map(bool, codes))} of {len(codes)} streams failed")
    return time.perf_counter() - start


def curl(socket_path, data_path):
    return ["curl", "-sSfN", "--unix-socket", socket_path, "-H", "Content-Type: application/json", "--data-binary",
            "@" + data_path, "http://localhost/v1/chat/completions"]


ASK = 'exec 3<>"$1"; cat "$2" >&3; exec cat <&3'


def many_streams(loaded, table):
    data, text = loaded.bed.place("body"), loaded.bed.place("question")
    with open(data, "wb") as stream:
        stream.write(body(STREAM_TOKENS, "many at once"))
    write(text, "many at once")
    write(loaded.model + "/infer/params", f"max_tokens {STREAM_TOKENS}\n")
    ours = os.readlink(loaded.model + "/infer/openai.sock")
    ways = {"direct": curl(loaded.server, data), "socket": curl(ours, data),
            "ask": ["bash", "-c", ASK, "ask", loaded.model + "/infer/ask", text]}
    rates = {way: [] for way in ways}
    for turn in range(STREAM_TURNS + 1):
        for way, command in ways.items():
            seconds = all_at_once([command] * STREAMS)
            if turn:
                rates[way].append(STREAMS * STREAM_TOKENS / seconds)
    for way, name in (("socket", "openai.sock"), ("ask", "infer/ask")):
        table.at_least(f"{STREAMS} streams at once through {name}, tokens a second", 0.95,
                       statistics.median(rates[way]) / statistics.median(rates["direct"]),
                       f"{spread(rates[way])} against {spread(rates['direct'])} by curl; {STREAM_TOKENS} tokens each, the "
                       "processes' start in it")


def infer(bed, table):
    with Loaded(bed, 1) as loaded:
        one_stream(loaded, table)
    with Loaded(bed, STREAMS) as loaded:
        many_streams(loaded, table)
