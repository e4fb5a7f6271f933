#!/usr/bin/env bash
# Installs what building, testing and the examples need. Safe to run at any time: each part is skipped when its stamp says
# it is there already, so a second run takes well under a second. Prints only what it does.
#
# Parts: system packages (apt), Arrow, ONNX Runtime and Kafka's message schemas (pinned, under .deps), a Python environment
# (.deps/venv).
# TIDEMILL_DEPS_DIR moves .deps; a linked git worktree uses the .deps of the checkout it belongs to.
# `setup.sh --where` only prints that folder.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD

arrow_version=26.0.1
arrow_sha256=39cb0f2418282c24bea6ceda77b03e5a8f0a5766b63a8bf194d4e2a2c423548c
ort_version=1.24.4
ort_sha256=e54ad52e61d2d4618dcff8fa1480ac66b24ee2eab73331322db1049f11ccf330
ort_header_module=github.com/yalue/onnxruntime_go@v1.27.0 # carries the C header of API 24, that of 1.24.x
ort_header_sha256=9ed0d7054a4e74249467365b25b415d36f51a44a6349e2a994a1812e4723d1e2
ort_ep_header_sha256=e94ac3490697bdb107844fa9d403952ee7136134132a057eae5c1207b57ce352
kafka_python_version=3.0.12 # carries Kafka's message schemas; also in requirements.txt
kafka_python_sha256=67add72052e3ad0c37ed9963ebe2b1696adc7f063c64eaf19862c21b69a64a18

packages=(
  build-essential g++-12 cmake ninja-build ccache mold git ca-certificates python3 python3-venv
  libboost1.81-dev libssl-dev libfmt-dev libspdlog-dev libsimdjson-dev libcli11-dev libabsl-dev libre2-dev libcctz-dev
  libedit-dev libroaring-dev libxxhash-dev zlib1g-dev libzstd-dev liblz4-dev libsnappy-dev libyaml-cpp-dev librdkafka-dev
  libprotobuf-dev libprotoc-dev protobuf-compiler libgrpc++-dev protobuf-compiler-grpc
  nlohmann-json3-dev libgtest-dev libbenchmark-dev clang-format-14 tzdata curl kcat fiu-utils redis-tools openssl
)

say() { echo "setup: $*"; }
die() { echo "setup: error: $*" >&2; exit 1; }

deps=${TIDEMILL_DEPS_DIR:-}
if [ -z "$deps" ]; then
  deps=$root/.deps
  if [ -f .git ] && common=$(git rev-parse --git-common-dir 2>/dev/null); then
    deps=$(cd "$common/.." && pwd)/.deps
  fi
fi
if [ "${1:-}" = --where ]; then
  echo "$deps"
  exit
fi
mkdir -p "$deps/stamps" "$deps/dl"
deps=$(cd "$deps" && pwd)

# Two checkouts may share one folder: one set-up at a time.
exec 9>"$deps/.lock"
flock 9

fresh() { [ "$(cat "$deps/stamps/$1" 2>/dev/null)" = "$2" ]; }
stamp() { echo "$2" >"$deps/stamps/$1"; }
digest() { sha256sum "$@" | sha256sum | cut -c1-32; }
verify() { # file sha256
  [ "$(sha256sum "$1" | cut -d' ' -f1)" = "$2" ] || die "$1 does not have the checksum $2; delete it and run again"
}

install_packages() {
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    say "no apt here: provide these by other means: ${packages[*]}"
    return
  fi
  [ -n "$(command -v go || true)" ] || [ -f "$deps/stamps/ort" ] || packages+=(golang-go)
  local installed missing=()
  # shellcheck disable=SC2016
  installed=" $(dpkg-query -W -f='${Package}:${db:Status-Abbrev} ' "${packages[@]}" 2>/dev/null || true) "
  for package in "${packages[@]}"; do
    [[ $installed == *" $package:ii "* || $installed == *" $package:ii  "* ]] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  local as_root=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || die "missing packages, and neither root nor sudo: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  say "installing system packages: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  "${as_root[@]}" apt-get -qq update || die "apt-get update failed"
  "${as_root[@]}" apt-get -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 install "${missing[@]}" \
    >"$deps/apt.log" 2>&1 || { tail -n 20 "$deps/apt.log" >&2; die "apt-get install failed, see $deps/apt.log"; }
}

python_bin() {
  local candidate
  for candidate in python3.11 python3; do
    if command -v "$candidate" >/dev/null && "$candidate" -c 'import sys, ensurepip; assert sys.version_info[:2] == (3, 11)' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  die "Python 3.11 with the venv module is needed (the pinned packages are built for it)"
}

make_venv() {
  [ -x "$deps/venv/bin/python" ] && "$deps/venv/bin/python" -m pip --version >/dev/null 2>&1 && return
  say "creating the Python environment"
  rm -rf "$deps/venv" "$deps/stamps/venv"
  "$(python_bin)" -m venv "$deps/venv" || die "python -m venv failed"
}

wheel() { # project version sha256: prints the path of the verified file
  local found
  found=$(find "$deps/dl" -name "$1-$2-*.whl" | head -n 1)
  if [ -z "$found" ]; then
    make_venv >&2
    "$deps/venv/bin/python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
      --python-version 3.11 --implementation cp --abi cp311 --platform manylinux_2_28_x86_64 \
      -d "$deps/dl" "$1==$2" >&2 || die "cannot download $1 $2 from the Python package index"
    found=$(find "$deps/dl" -name "$1-$2-*.whl" | head -n 1)
  fi
  verify "$found" "$3"
  echo "$found"
}

install_arrow() {
  local want file into name
  want="$arrow_version $arrow_sha256 $(digest scripts/hide_symbols.py) 2"
  fresh arrow "$want" && [ -e "$deps/arrow/lib/libarrow.so" ] && return
  say "unpacking Arrow $arrow_version"
  file=$(wheel pyarrow $arrow_version $arrow_sha256)
  into=$deps/arrow.new
  rm -rf "$into" "$deps/arrow.x"
  mkdir -p "$into/lib"
  python3 -m zipfile -e "$file" "$deps/arrow.x"
  mv "$deps/arrow.x/pyarrow/include" "$into/include"
  cp "$deps/arrow.x/pyarrow-$arrow_version.dist-info/licenses/"* "$into/"
  for name in arrow arrow_compute arrow_acero arrow_dataset arrow_flight arrow_s3 arrow_substrait parquet; do
    mv "$deps/arrow.x/pyarrow/lib$name.so.2600" "$into/lib/"
    ln -sf "lib$name.so.2600" "$into/lib/lib$name.so"
  done
  # Their own RE2, simdjson and OpenSSL must not meet the system's in one process.
  python3 scripts/hide_symbols.py "$into/lib/libarrow_compute.so.2600" 3re2 >/dev/null
  python3 scripts/hide_symbols.py "$into/lib/libparquet.so.2600" simdjson '^(?!_Z)(?!arrow)(?!parquet)' >/dev/null
  rm -rf "$deps/arrow" "$deps/arrow.x"
  mv "$into" "$deps/arrow"
  stamp arrow "$want"
}

install_onnxruntime() {
  local want file into source
  want="$ort_version $ort_sha256 $ort_header_sha256 1"
  fresh ort "$want" && [ -e "$deps/onnxruntime/lib/libonnxruntime.so.1" ] && return
  say "unpacking ONNX Runtime $ort_version"
  file=$(wheel onnxruntime $ort_version $ort_sha256)
  into=$deps/onnxruntime.new
  rm -rf "$into" "$deps/ort.x"
  mkdir -p "$into/lib" "$into/include"
  python3 -m zipfile -e "$file" "$deps/ort.x"
  mv "$deps/ort.x/onnxruntime/capi/libonnxruntime.so.$ort_version" "$into/lib/"
  ln -s "libonnxruntime.so.$ort_version" "$into/lib/libonnxruntime.so.1"
  cp "$deps/ort.x/onnxruntime/LICENSE" "$deps/ort.x/onnxruntime/ThirdPartyNotices.txt" "$into/" 2>/dev/null || true
  command -v go >/dev/null || die "the ONNX Runtime C header comes from a Go module: install Go, or put
  onnxruntime_c_api.h of API 24 in a folder and pass -DTIDEMILL_ORT_HEADER_DIR"
  source=$(cd "$deps" && GOFLAGS=-mod=mod go mod download -json "$ort_header_module" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
  [ -n "$source" ] || die "cannot download the Go module $ort_header_module"
  cp "$source/onnxruntime_c_api.h" "$source/onnxruntime_ep_c_api.h" "$into/include/"
  chmod u+w "$into/include/"*
  verify "$into/include/onnxruntime_c_api.h" $ort_header_sha256
  verify "$into/include/onnxruntime_ep_c_api.h" $ort_ep_header_sha256
  rm -rf "$deps/onnxruntime" "$deps/ort.x"
  mv "$into" "$deps/onnxruntime"
  stamp ort "$want"
}

install_kafka_schemas() {
  local want file into
  want="$kafka_python_version $kafka_python_sha256 1"
  fresh kafka-schemas "$want" && [ -e "$deps/kafka-schemas/ProduceRequest.json" ] && return
  say "unpacking the message schemas of Kafka"
  file=$(wheel kafka_python $kafka_python_version $kafka_python_sha256)
  into=$deps/kafka-schemas.new
  rm -rf "$into" "$deps/kafka.x"
  mkdir -p "$into"
  python3 -m zipfile -e "$file" "$deps/kafka.x"
  mv "$deps/kafka.x/kafka/protocol/schemas/resources/"*.json "$into/"
  cp "$deps/kafka.x/kafka_python-$kafka_python_version.dist-info/licenses/LICENSE" "$into/"
  rm -rf "$deps/kafka-schemas" "$deps/kafka.x"
  mv "$into" "$deps/kafka-schemas"
  stamp kafka-schemas "$want"
}

install_python() {
  local want
  make_venv
  want=$(digest scripts/requirements.txt)
  fresh venv "$want" && return
  say "installing Python packages"
  "$deps/venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
    --find-links "$deps/dl" -r scripts/requirements.txt || die "cannot install the Python packages"
  stamp venv "$want"
}

install_packages
install_arrow
install_onnxruntime
install_kafka_schemas
install_python
