#!/usr/bin/env python3
"""Checks every #include under src/.

Fails, naming file and line, when
  - a room includes a room that comes after it in ROOMS,
  - a quoted include names no file under src/ (third-party headers are included with <>),
  - headers include one another in a circle, or folders do through their headers (internal/ counts as its parent; tests/ stands above what it tests),
  - a header pulls in a third-party library that belongs in .cc files.

Usage: check_includes.py [SOURCE_FOLDER]     (default: src beside this script's folder)
"""

import pathlib
import re
import sys

ROOMS = ["base", "data", "log", "state", "function", "sql", "exec", "model", "feature", "connect", "job", "server"]
GENERATED = ("log/wire/messages/",)  # made by the build, next to src/
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
HEAVY = re.compile(r"^(boost/|onnxruntime|rocksdb/|grpc|librdkafka/|openssl/|httplib)")


def read_includes(root):
    """Yields (file, line number, quoted, target), paths relative to root."""
    for path in sorted(p for p in root.rglob("*") if p.suffix in (".h", ".cc", ".inc")):
        text = path.read_text(encoding="utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), 1):
            match = INCLUDE.match(line)
            if match:
                yield path.relative_to(root).as_posix(), number, match[1] == '"', match[2]


def folder_of(file):
    parts = file.split("/")[:-1]
    while len(parts) > 1 and parts[-1] == "internal":
        parts.pop()
    return "/".join(parts)


def find_cycle(graph):
    """Returns one cycle as a list of nodes, or None. graph: node -> {node: place}."""
    done, path, on_path = set(), [], set()

    def visit(node):
        path.append(node)
        on_path.add(node)
        for target in sorted(graph.get(node, ())):
            if target in on_path:
                return path[path.index(target):] + [target]
            if target not in done:
                cycle = visit(target)
                if cycle:
                    return cycle
        done.add(path.pop())
        on_path.discard(node)
        return None

    for start in sorted(graph):
        if start not in done:
            cycle = visit(start)
            if cycle:
                return cycle
    return None


def check(root):
    problems, files, folders = [], {}, {}
    for file, line, quoted, target in read_includes(root):
        place = f"src/{file}:{line}"
        room = file.split("/")[0]
        if room not in ROOMS:
            problems.append(f"{place}: src/{room} is not a room ({', '.join(ROOMS)})")
            continue
        if HEAVY.match(target) and file.endswith(".h"):
            problems.append(f"{place}: <{target}> belongs in .cc files, not in a header")
        if not quoted:
            continue
        if not target.startswith(GENERATED) and not (root / target).is_file():
            problems.append(f'{place}: "{target}" is no file under src/ (use <> for other libraries)')
            continue
        target_room = target.split("/")[0]
        if target_room in ROOMS and ROOMS.index(target_room) > ROOMS.index(room):
            problems.append(f"{place}: {room} must not include {target_room} (\"{target}\"), which comes after it")
        if file.endswith(".h"):
            files.setdefault(file, {}).setdefault(target, place)
            if folder_of(file) != folder_of(target):
                folders.setdefault(folder_of(file), {}).setdefault(folder_of(target), place)
    for graph, kind in ((files, "headers"), (folders, "folders")):
        cycle = find_cycle(graph)
        if cycle:
            problems.append(f"{graph[cycle[0]][cycle[1]]}: {kind} include one another: {' -> '.join(cycle)}")
            for near, far in zip(cycle[1:], cycle[2:]):
                problems.append(f"{graph[near][far]}:   {near} -> {far}")
    return problems


def main():
    default = pathlib.Path(__file__).resolve().parent.parent / "src"
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default
    problems = check(root)
    for problem in problems:
        print(problem)
    if not problems:
        print("check_includes: every include goes one way")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
