#!/usr/bin/env bash
# Times importing and tokenising chat rows beside `datasets` and transformers with the same tokenizer.
#   bench/import/run.sh [--rows N] [--rounds N]
# Writes its section of bench/RESULTS.md. Data goes to a temporary folder; the environment is bench/peers'.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

python="${PYTHON:-$(bench/peers/setup.sh)}"
cargo build --quiet --release -p data --example import_bench
"$python" bench/import/compare.py --ours "${CARGO_TARGET_DIR:-target}/release/examples/import_bench" "$@"
