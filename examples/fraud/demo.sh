#!/usr/bin/env bash
# Runs the fraud example live on this machine: generator -> embedded log -> features -> model -> webhook, then a summary.
# Environment: RATE (transactions a second), DURATION (seconds), TIDEMILL_BINARY, PYTHON, KEEP=DIR (where to leave everything).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
tidemill=${TIDEMILL_BINARY:-$root/build/release/tidemill}
python=${PYTHON:-$("$root/scripts/setup.sh" --where)/venv/bin/python}
rate=${RATE:-2000}
duration=${DURATION:-30}
customers=1000
terminals=2000
seed=11

work=${KEEP:-$root/build/demo}
rm -rf "$work"
mkdir -p "$work"
pids=()
cleanup() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
}
trap cleanup EXIT

fail() {
  echo "demo: $1" >&2
  [ -s "$work/tidemill.log" ] && tail -20 "$work/tidemill.log" >&2
  exit 1
}
# wait_for FILE SECONDS
wait_for() {
  for _ in $(seq 1 $(($2 * 20))); do
    [ -s "$1" ] && return 0
    sleep 0.05
  done
  fail "$1 did not appear"
}

echo "Card fraud, live: $rate transactions a second for $duration s, their labels a week (of event time) later."
"$python" "$here/receiver.py" --out "$work/actions.jsonl" --port-file "$work/receiver.port" &
pids+=($!)
"$python" "$here/generate.py" --out "$work/transactions.parquet" --customers $customers --terminals $terminals --seed $seed
wait_for "$work/receiver.port" 10

"$tidemill" --data-dir "$work/data" run -i "$here/live.sql" "$here/fraud.sql" \
  -D out="$work/out" -D hold_url="http://127.0.0.1:$(cat "$work/receiver.port")/hold" \
  --name fraud --http 127.0.0.1:0 2> "$work/tidemill.log" &
job=$!
pids+=("$job")
wait_for "$work/data/http.port" 30
url="http://127.0.0.1:$(cat "$work/data/http.port")"
for _ in $(seq 1 200); do
  curl -fsS "$url/readyz" > /dev/null 2>&1 && break
  kill -0 "$job" 2>/dev/null || fail "tidemill ended"
  sleep 0.1
done
echo "Running: $url/metrics, $url/api/v1/jobs"

"$python" "$here/generate.py" --push "$url" --rate "$rate" --seconds "$duration" \
  --customers $customers --terminals $terminals --seed $seed || fail "the generator failed"
sleep 2  # what is on its way: the last epoch, the last webhook calls
curl -fsS "$url/metrics" > "$work/metrics.txt"
customer=$("$tidemill" --server "$url" feature get -e customer_id=42 -f customer_features:customer_count_30d,customer_features:customer_mean_30d)
kill -TERM "$job"
wait "$job" || fail "tidemill ended with an error"

echo
echo "What happened:"
"$python" "$here/summary.py" --metrics "$work/metrics.txt" --scored "$work/out/scored" --truth "$work/transactions.parquet" \
  --actions "$work/actions.jsonl" --seconds "$duration"
echo
echo "Features of customer 42, from the online store:"
echo "$customer" | sed 's/^/  /'
echo
echo "Where to look next:"
show=${work#"$root"/}
program=${tidemill#"$root"/}
echo "  $show/out/scored: every transaction with its features, score and decision (Parquet)"
echo "  $program --data-dir $show/data topic consume scores -o start -n 3"
echo "  $program --data-dir $show/data feature list"
echo "  examples/fraud/fraud.sql: the whole pipeline. Change a window and run it again."
