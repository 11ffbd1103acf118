#!/usr/bin/env bash
# What a step of LoRA costs by context length (128 to 4096 tokens, a row at a time) and by depth (2 to 30 layers), for a
# model of SmolLM2-135M's shape with random weights. Draws bench/cost/context.svg and bench/cost/layers.svg and writes the
# numbers beside them. Needs no network:
#   bench/cost/run.sh [--steps N] [--longest TOKENS] [--device cpu|gpu:0]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
cargo build --quiet --release -p train --example bench_step
cargo build --quiet --release -p charts --example cost
built="${CARGO_TARGET_DIR:-target}/release/examples"
exec "${PYTHON:-python3}" bench/cost/measure.py --ours "$built/bench_step" --draw "$built/cost" "$@"
