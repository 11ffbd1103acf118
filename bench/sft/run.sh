#!/usr/bin/env bash
# An epoch over a file of instructions with replies taught: TRL's SFTTrainer with its defaults and Tunesmith with its own,
# LoRA r=8 on all linear layers, as many examples behind a step. Some steps of each are timed and scaled up to the epoch:
#   bench/sft/run.sh --data alpaca_en_demo.json [--steps 10] [--rounds 1]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
python="$(bench/peers/setup.sh)"
cargo build --quiet --release -p cli
"$python" bench/peers/base_model.py > /dev/null
exec "$python" bench/sft/compare.py --ours "${CARGO_TARGET_DIR:-target}/release/tunesmith" "$@"
