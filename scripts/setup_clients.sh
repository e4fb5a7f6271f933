#!/usr/bin/env bash
# Installs what `make test-clients` and `bench/kafka.py` need beyond setup.sh: Apache Kafka with its Java clients and Kafka Streams, pinned,
# in .deps/clients/kafka. A second run takes well under a second. Prints only what it does.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
deps=$(scripts/setup.sh --where)
into=$deps/clients
mkdir -p "$into" "$deps/stamps"

say() { echo "setup: $*"; }
die() { echo "setup: error: $*" >&2; exit 1; }
fresh() { [ "$(cat "$deps/stamps/$1" 2>/dev/null)" = "$2" ]; }
stamp() { echo "$2" >"$deps/stamps/$1"; }

exec 9>"$deps/.lock-clients"
flock 9

install_packages() { # command=package...: those packages whose command is not there
  local missing=() pair as_root=()
  for pair in "$@"; do
    command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || die "no apt here: provide ${missing[*]} by other means"
  [ "$(id -u)" = 0 ] || as_root=(sudo)
  say "installing system packages: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  "${as_root[@]}" apt-get -qq update || die "apt-get update failed"
  "${as_root[@]}" apt-get -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 install "${missing[@]}" \
    >"$deps/apt-clients.log" 2>&1 || { tail -n 20 "$deps/apt-clients.log" >&2; die "apt-get install failed, see $deps/apt-clients.log"; }
}

install_kafka() {
  local want
  want=$(sha256sum tests/clients/java/pom.xml tests/clients/java/jars.sha256 | sha256sum | cut -c1-32)
  fresh kafka "$want" && [ -d "$into/kafka" ] && return
  install_packages java=openjdk-17-jre-headless mvn=maven
  say "fetching Apache Kafka"
  rm -rf "$into/kafka.new"
  mvn -B -q -f tests/clients/java/pom.xml dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$into/kafka.new" ||
    die "Maven can't fetch Apache Kafka"
  (cd "$into/kafka.new" && sha256sum --quiet --check "$root/tests/clients/java/jars.sha256") || die "a jar of Kafka has another checksum"
  [ "$(find "$into/kafka.new" -name '*.jar' | wc -l)" = "$(wc -l <tests/clients/java/jars.sha256)" ] || die "jars.sha256 does not name every jar"
  rm -rf "$into/kafka"
  mv "$into/kafka.new" "$into/kafka"
  stamp kafka "$want"
}

install_kafka
