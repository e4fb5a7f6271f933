#!/usr/bin/env bash
# `make test`: set-up, release build, all unit tests in release, under ASan+UBSan and, for the rooms with threads, under TSan, and
# the Python tests against the release program. A build that fails ends the run; failing tests do not stop later stages.
# The last line adds everything up. SANITIZERS=no leaves the two sanitizer builds out.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
jobs=${JOBS:-$(nproc)}

scripts/setup.sh
python=$(scripts/setup.sh --where)/venv/bin/python

timed() { # title command...: output goes to a log that is shown only on failure
  local title=$1 log start=$SECONDS
  shift
  log=build/$(echo "$title" | tr ' ' '-').log
  mkdir -p build
  if ! "$@" >"$log" 2>&1; then
    echo "== $title failed; the end of $log:"
    tail -n 80 "$log"
    return 1
  fi
  echo "== $title: $((SECONDS - start)) s"
}

build() { # preset [targets...]
  local preset=$1
  shift
  cmake --preset "$preset"
  cmake --build --preset "$preset" -j "$jobs" ${1:+--target "$@"}
}

unit_tests() { # preset [ctest options...]: never fails, the summary judges
  local preset=$1
  shift
  rm -rf "build/$preset/test-results" "build/$preset/ctest.xml"
  ctest --preset "$preset" -j "$jobs" --output-on-failure --output-junit "$PWD/build/$preset/ctest.xml" "$@" || true
  results+=("$preset=build/$preset/ctest.xml:build/$preset/test-results")
}

results=()
threaded=(base_tests log_tests exec_tests job_tests)
timed "build release" build release || exit 1
unit_tests release

if [ -n "$(find tests -name 'test_*.py' -print -quit 2>/dev/null)" ]; then
  rm -f build/pytest.xml build/pytest-again.xml
  export TIDEMILL_BINARY=$PWD/build/release/tidemill
  "$python" -m pytest tests --junitxml=build/pytest.xml || true
  pytest_results=build/pytest.xml
  # Real clients, brokers and terminals have deadlines of their own, which a machine that stalls for seconds breaks. So up to three
  # that failed run once more, and the summary names them. Not those about crashes: what is lost once is lost.
  failed=$(PYTHONPATH=scripts "$python" -c 'import test_summary; print(test_summary.failed_cases("build/pytest.xml"))' || echo 0)
  if [ "$failed" -ge 1 ] && [ "$failed" -le 3 ]; then
    "$python" -m pytest tests --ignore=tests/chaos -k "not kill and not crash" --last-failed --last-failed-no-failures none --junitxml=build/pytest-again.xml || true
    pytest_results+=+build/pytest-again.xml
  fi
  results+=("pytest=$pytest_results")
fi

if [ "${SANITIZERS:-yes}" != no ]; then
  timed "build debug" build debug || exit 1
  unit_tests debug
  timed "build tsan" build tsan "${threaded[@]}" || exit 1
  unit_tests tsan -R "^($(IFS='|'; echo "${threaded[*]}"))\$"
fi

exec "$python" scripts/test_summary.py "${results[@]}"
