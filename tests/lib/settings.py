#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""settings.py CONFIG: walks every setting of a config/ folder by its schema.json, as 90-every-setting says.

Nothing here knows a setting by name but those that would end the test itself: WITHOUT."""

import errno
import json
import os
import sys

folder = sys.argv[1]
faults = 0
# Values that are right by the schema and that only the world can judge: a group, a variant of the model.
WITHOUT = {"variant"}


def fault(*words):
    global faults
    faults += 1
    print(*words)


def read(name):
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return file.read()


def write(name, text):
    """0, or the errno of open or write."""
    try:
        file = os.open(os.path.join(folder, name), os.O_WRONLY | os.O_TRUNC)
    except OSError as error:
        return error.errno
    try:
        os.write(file, text.encode() + b"\n")
        return 0
    except OSError as error:
        return error.errno
    finally:
        os.close(file)


def types(rule):
    kind = rule.get("type", "enum")
    return kind if isinstance(kind, list) else [kind]


# Texts that must be more than texts.
EXAMPLES = {"device": "cpu", "llama_arguments": "--no-warmup"}


def good(name, rule, now):
    """Another value than the one in force, as text."""
    kinds = types(rule)
    if name in EXAMPLES:
        return EXAMPLES[name]
    if "enum" in rule:
        return next((word for word in rule["enum"] if word != now), rule["enum"][0])
    if kinds == ["boolean"]:
        return "off" if now == "on" else "on"
    if "integer" in kinds or "number" in kinds:
        ends = [rule.get("maximum"), rule.get("minimum"), rule.get("default"), 1]
        texts = [format(end, ".15g") if isinstance(end, float) else str(end) for end in ends if end is not None]
        return next((text for text in texts if text != now), texts[0])
    return "/tmp/a-value of 90-every-setting"


def wrong(rule):
    """Values that must be refused."""
    kinds = types(rule)
    values = ["a\tb\x01c", "x" * 5000]
    if kinds != ["string"]:
        values += ["", "nonsense", "1 2"]
    if "integer" in kinds or "number" in kinds:
        for key, step in (("minimum", -1), ("maximum", 1)):
            if key in rule:
                values.append(str(rule[key] + step))
        values += ["nan", "0x10", "--1", "1" * 60]
    if kinds == ["integer"]:
        values.append("1.5")
    return values


def value_of(name):
    return json.loads(read("config.json"))[name]


def look(name, rule):
    before = read(name)
    origin = value_of(name)["from"]
    if not before.endswith("\n") or before.count("\n") != 1:
        fault(name, "is not one line:", repr(before))
    if os.stat(os.path.join(folder, name)).st_size != len(before.encode()):
        fault(name, "has another size than text")
    if rule.get("readOnly"):
        if write(name, good(name, rule, before.strip())) not in (errno.EPERM, errno.EACCES):
            fault(name, "is read-only, but was written")
        return
    for text in wrong(rule):
        got = write(name, text)
        if got != errno.EINVAL:
            fault(name, "took", repr(text[:40]), "with", got)
        if read(name) != before:
            fault(name, "changed upon", repr(text[:40]))
    if name in WITHOUT:
        return
    text = good(name, rule, before.strip())
    got = write(name, text)
    if got:
        fault(name, "did not take", repr(text), "but said", os.strerror(got))
        return
    now = value_of(name)
    live = rule.get("x-live", True)
    if live and (read(name).strip() != text or now["from"] != "config/"):
        fault(name, "is live, was set to", text, "and has", read(name).strip(), "from", now["from"])
    if not live and (read(name) != before or (text != before.strip() and "next" not in now)):
        fault(name, "is not live, was set to", text, "and has", read(name).strip(), "and", now)
    got = write(name, "default")
    now = value_of(name)
    if got or read(name) != before or now["from"] != origin or "next" in now:
        fault(name, "after default:", got, read(name).strip(), now)


schema = json.loads(read("schema.json"))
names = set(schema["properties"])
listed = set(os.listdir(folder)) - {"config.json", "schema.json"}
if names != listed:
    fault("schema.json and the folder differ:", names ^ listed)
for each in sorted(names):
    look(each, schema["properties"][each])
print(len(names), "settings,", faults, "faults")
sys.exit(faults > 0)
