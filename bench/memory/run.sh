#!/usr/bin/env bash
# Peak memory of a training step over the grid: LoRA and full, three batches, whole moments and moments in bytes, and how much
# of each layer is made again; a model of SmolLM2-135M's shape with random weights, two threads. Needs no network.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
cargo build --quiet --release -p train --example bench_step
exec "${PYTHON:-python3}" bench/memory/measure.py --ours "${CARGO_TARGET_DIR:-target}/release/examples/bench_step"
