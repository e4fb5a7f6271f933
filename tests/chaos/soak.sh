#!/usr/bin/env bash
# Long runs with crashes in them, each from a seed of its own (TIDEMILL_CHAOS_SEED repeats one): the Kafka server under clients through
# SOAK_KILLS (50) kills, then jobs through as many, over SOAK_EVENTS (200000) events. SOAK_ROUNDS (1) times.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

scripts/setup.sh
[ -n "${TIDEMILL_BINARY:-}" ] || make --no-print-directory build
python=$(scripts/setup.sh --where)/venv/bin/python
for ((round = 1; round <= ${SOAK_ROUNDS:-1}; ++round)); do
  seed=${TIDEMILL_CHAOS_SEED:-$((RANDOM * 32768 + RANDOM))}
  echo "== soak, round $round: TIDEMILL_CHAOS_SEED=$seed"
  TIDEMILL_CHAOS_SEED=$seed TIDEMILL_KAFKA_KILLS=${SOAK_KILLS:-50} TIDEMILL_CHAOS_KILLS=${SOAK_KILLS:-50} \
    TIDEMILL_CHAOS_EVENTS=${SOAK_EVENTS:-200000} "$python" -m pytest tests/chaos -s -o timeout=7200
done
