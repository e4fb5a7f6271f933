#!/usr/bin/env bash
# Builds every tests/fuzz/*_fuzz.cc with the debug preset's sanitizers and runs it for FUZZ_SECONDS (60) from its corpus. With clang it is a
# libFuzzer program; with g++ a plain one that runs the corpus and seeded mutations of it (FUZZ_SEED, 1).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
seconds=${FUZZ_SECONDS:-60}
seed=${FUZZ_SEED:-1}
only=${FUZZ:-}

cmake --preset debug >/dev/null
cmake --build --preset debug --target fuzzers wire_codec_tool -j "${JOBS:-$(nproc)}"
failed=0
for source in tests/fuzz/*_fuzz.cc; do
  name=$(basename "$source" .cc)
  [ -z "$only" ] || [ "$name" = "${only}_fuzz" ] || continue
  corpus=tests/fuzz/corpus/${name%_fuzz}
  mkdir -p "build/debug/fuzz/$name"
  if [ "$name" = kafka_request_fuzz ]; then
    build/debug/wire_codec_tool 2 "$seed" |
      python3 tests/fuzz/wire_corpus.py build/debug/generated/log/wire/messages/message_list.h "tests/fuzz/$name.cc" "build/debug/fuzz/$name"
  fi
  echo "== $name, $seconds s"
  # New inputs that libFuzzer finds go to the first directory.
  "build/debug/$name" -max_total_time="$seconds" -seed="$seed" "build/debug/fuzz/$name" $([ -d "$corpus" ] && echo "$corpus") || failed=1
done
exit $failed
