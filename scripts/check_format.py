#!/usr/bin/env python3
"""Names the C++ files that clang-format would change (`make format` changes them).

Usage: check_format.py [REPOSITORY]

Layout differs between versions of clang-format, so it is version 14 (Debian 12's; scripts/setup.sh installs it) or none: without it
nothing is checked, and the exit code is 77, which CTest counts as skipped.
"""

import pathlib
import re
import shutil
import subprocess
import sys

PROGRAM = "clang-format-14"
PATTERNS = ("src/**/*.h", "src/**/*.cc", "include/**/*.h", "bench/**/*.cc", "tests/**/*.h", "tests/**/*.cc", "examples/**/*.cc")
SKIPPED = 77


def check(root):
    files = sorted({path.relative_to(root).as_posix() for pattern in PATTERNS for path in root.glob(pattern)})
    if not files:
        return files, []
    done = subprocess.run([PROGRAM, "--dry-run", *files], cwd=root, capture_output=True, text=True, check=True)
    # "src/base/a.cc:3:7: warning: code should be clang-formatted [-Wclang-format-violations]"; the first place of each file is enough.
    first = {}
    for path, line in re.findall(r"^(\S+?):(\d+):\d+: warning: code should be clang-formatted", done.stderr, re.MULTILINE):
        first.setdefault(path, line)
    return files, [f"{path}:{line}: not as clang-format lays it out" for path, line in first.items()]


def main():
    if shutil.which(PROGRAM) is None:
        print(f"check_format: skipped, there is no {PROGRAM} here (scripts/setup.sh installs it)")
        return SKIPPED
    files, problems = check(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve())
    for problem in problems:
        print(problem)
    print(f"check_format: {len(problems)} of {len(files)} files: run make format" if problems else f"check_format: {len(files)} files are laid out")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
