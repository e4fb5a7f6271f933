#!/usr/bin/env python3
"""Checks what clang-format does not: file length, names that say nothing, `#pragma once`.

Usage: check_style.py [REPOSITORY]
"""

import pathlib
import re
import sys

LINES_MAX = 600
FOLDERS = ("src", "include", "bench", "tests", "scripts", "python", "examples", "web/src")
SUFFIXES = {".h", ".cc", ".py", ".sh", ".ts", ".tsx", ".cmake"}
VAGUE = {"util", "utils", "helper", "helpers", "common", "misc", "manager", "managers"}


def words(name):
    return set(re.split(r"[_\-.]+", name.lower()))


def check(root):
    problems = []
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            relative = path.relative_to(root).as_posix()
            if "node_modules" in relative or "__pycache__" in relative:
                continue
            vague = words(path.stem if path.is_file() else path.name) & VAGUE
            if vague and (path.is_dir() or path.suffix in SUFFIXES):
                problems.append(f"{relative}: the name says nothing ({', '.join(sorted(vague))}); name what it holds")
            if not path.is_file() or path.suffix not in SUFFIXES:
                continue
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            if len(lines) > LINES_MAX:
                problems.append(f"{relative}:{LINES_MAX}: {len(lines)} lines, more than {LINES_MAX}: split it by concept")
            if path.suffix == ".h" and "#pragma once" not in lines:
                problems.append(f"{relative}:1: no #pragma once")
    return problems


def main():
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent
    problems = check(root)
    for problem in problems:
        print(problem)
    if not problems:
        print("check_style: nothing to mend")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
