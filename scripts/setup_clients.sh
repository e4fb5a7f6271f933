#!/usr/bin/env bash
# Installs what `make test-clients` and `bench/kafka.py` need beyond setup.sh: Apache Kafka with its Java clients and Kafka Streams, franz-go,
# KafkaJS, Google's client and test server of Pub/Sub, Kafka Connect with Debezium, and PostgreSQL; all but PostgreSQL (apt) pinned, under
# .deps/clients. A second run takes well under a second. Prints only what it does. `setup_clients.sh kafka` installs Kafka alone.
#
#   kafka/       jars: the broker, the clients, Streams (checksums in tests/clients/java/jars.sha256)
#   connect/     jars: Kafka Connect, Debezium's connector for PostgreSQL (checksums in tests/clients/connect/jars.sha256)
#   java/        our Java programs, compiled
#   franz-go     our Go program
#   pubsub       our Go program: Pub/Sub's test server and client
#   node/        node_modules of our JavaScript program, and the program
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
digest() { find "$@" -type f -not -path '*/node_modules/*' -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -c1-32; }

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

install_jars() { # name, what: the jars of tests/clients/FOLDER/pom.xml, under .deps/clients/NAME
  local name=$1 folder=tests/clients/$2 want
  want=$(sha256sum "$folder/pom.xml" "$folder/jars.sha256" | sha256sum | cut -c1-32)
  fresh "$name" "$want" && [ -d "$into/$name" ] && return
  install_packages java=openjdk-17-jre-headless mvn=maven
  say "fetching $3"
  rm -rf "$into/$name.new"
  mvn -B -q -f "$folder/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$into/$name.new" ||
    die "Maven can't fetch $3"
  (cd "$into/$name.new" && sha256sum --quiet --check "$root/$folder/jars.sha256") || die "a jar of $3 has another checksum"
  [ "$(find "$into/$name.new" -name '*.jar' | wc -l)" = "$(wc -l <"$folder/jars.sha256")" ] || die "$folder/jars.sha256 does not name every jar"
  rm -rf "${into:?}/$name"
  mv "$into/$name.new" "$into/$name"
  stamp "$name" "$want"
}

install_kafka() { install_jars kafka java "Apache Kafka"; }

install_connect() {
  install_jars connect connect "Kafka Connect and Debezium"
  [ -x /usr/lib/postgresql/15/bin/postgres ] && return
  # The tests start servers of their own: no cluster is made by the package.
  if [ ! -e /etc/postgresql-common/createcluster.conf ] && [ "$(id -u)" = 0 ]; then
    mkdir -p /etc/postgresql-common
    echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
  fi
  install_packages /usr/lib/postgresql/15/bin/postgres=postgresql-15
}

install_java() {
  local want
  want="$(cat "$deps/stamps/kafka") $(digest tests/clients/java)"
  fresh clients-java "$want" && return
  install_packages javac=openjdk-17-jdk-headless
  say "compiling the Java clients"
  rm -rf "$into/java.new"
  javac -Xlint:all,-processing,-classfile -proc:none -d "$into/java.new" -cp "$into/kafka/*" tests/clients/java/*.java
  rm -rf "$into/java"
  mv "$into/java.new" "$into/java"
  stamp clients-java "$want"
}

install_go() {
  local want
  want=$(digest tests/clients/go)
  fresh clients-go "$want" && [ -x "$into/franz-go" ] && return
  command -v go >/dev/null || die "franz-go needs Go $(sed -n 's/^go //p' tests/clients/go/go.mod) or newer, which Debian 12 lacks: install it"
  say "building the Go client"
  (cd tests/clients/go && GOFLAGS=-mod=readonly GOTOOLCHAIN=local go build -o "$into/franz-go.new" .) || die "the Go client does not build"
  mv "$into/franz-go.new" "$into/franz-go"
  stamp clients-go "$want"
}

install_pubsub() {
  local want
  want=$(digest tests/clients/pubsub)
  fresh clients-pubsub "$want" && [ -x "$into/pubsub" ] && return
  command -v go >/dev/null || die "the Pub/Sub client needs Go $(sed -n 's/^go //p' tests/clients/pubsub/go.mod) or newer: install it"
  say "building the Pub/Sub client and test server"
  (cd tests/clients/pubsub && GOFLAGS=-mod=readonly GOTOOLCHAIN=local go build -o "$into/pubsub.new" .) || die "the Pub/Sub client does not build"
  mv "$into/pubsub.new" "$into/pubsub"
  stamp clients-pubsub "$want"
}

install_node() {
  local want
  want=$(digest tests/clients/node)
  fresh clients-node "$want" && [ -d "$into/node/node_modules" ] && return
  install_packages node=nodejs npm=npm
  say "installing the JavaScript client"
  rm -rf "$into/node.new"
  cp -r tests/clients/node "$into/node.new"
  rm -rf "$into/node.new/node_modules"
  (cd "$into/node.new" && npm ci --silent --ignore-scripts --no-audit --no-fund) || die "npm can't install the JavaScript client"
  rm -rf "$into/node"
  mv "$into/node.new" "$into/node"
  stamp clients-node "$want"
}

for part in ${*:-kafka java go pubsub node connect}; do
  "install_$part"
done
