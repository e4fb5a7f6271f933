#!/usr/bin/env bash
# `make sanitize`: all unit tests under ASan+UBSan, the threaded rooms under TSan. Two full builds: half an hour and more on two cores.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
jobs=${JOBS:-$(nproc)}

scripts/setup.sh
cmake --preset debug >/dev/null
cmake --build --preset debug -j "$jobs"
ctest --preset debug -j "$jobs" --output-on-failure
cmake --preset tsan >/dev/null
cmake --build --preset tsan -j "$jobs" --target exec_tests job_tests log_tests
ctest --preset tsan -j "$jobs" --output-on-failure -R '^(exec|job|log)_tests$'
