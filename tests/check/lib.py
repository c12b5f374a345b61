# SPDX-License-Identifier: Apache-2.0
"""What the house checks share: which files there are, C without its comments and strings, and how to end."""

import os
import re
import subprocess
import sys

SRC = os.environ.get('SRC') or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SKIP = 77


def files(*suffixes, below=''):
    """Files of the project (committed, or new and not ignored) as paths from its top; those with these suffixes only."""
    try:
        listed = subprocess.run(['git', '-C', SRC, 'ls-files', '-co', '--exclude-standard', '-z'], capture_output=True, check=True)
        paths = listed.stdout.decode().split('\0')[:-1]
    except (OSError, subprocess.CalledProcessError):    # no git, or an unpacked archive
        paths = [os.path.relpath(os.path.join(folder, name), SRC) for folder, _, names in os.walk(SRC) for name in names]
        paths = [path for path in paths if not path.startswith(('build/', '.git/')) and '__pycache__' not in path]
    return sorted(path for path in set(paths) if path.startswith(below) and (not suffixes or path.endswith(suffixes))
                  and os.path.isfile(os.path.join(SRC, path)))


def read(path):
    with open(os.path.join(SRC, path), encoding='utf-8', errors='replace') as file:
        return file.read()


def is_text(path):
    with open(os.path.join(SRC, path), 'rb') as file:
        return b'\0' not in file.read(8192)


def is_script(path):
    with open(os.path.join(SRC, path), 'rb') as file:
        return file.read(2) == b'#!'


def bare(text):
    """C code with comments and the insides of strings blanked; lines stay where they were."""
    def blank(match):
        piece = match[0]
        if piece.startswith('/'):
            return re.sub(r'[^\n]', ' ', piece)
        return piece[0] + ' ' * (len(piece) - 2) + piece[-1]
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


def includes(path):
    """(line number, '<' or '"', name) of each #include."""
    for number, line in enumerate(read(path).splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if match:
            yield number, match[1], match[2]


def finish(faults):
    for fault in faults:
        print(fault)
    sys.exit(1 if faults else 0)
