#!/usr/bin/env bash
# Measures LoRA training on the first graphics adapter, beside PEFT on CUDA where torch is there. Needs no network:
#   bench/gpu/run.sh --ours PATH [--out FOLDER] [--shapes tiny] [--batches 2x32] [--steps 3]
# PATH is the built example `bench_step` (cargo build --release -p train --example bench_step), carried along. To measure the
# languages that Vulkan and Metal speak by themselves, build with `-p kernels --features kernels/spirv`, or `kernels/msl`, too.
set -euo pipefail
exec "${PYTHON:-python3}" "$(dirname "${BASH_SOURCE[0]}")/compare.py" "$@"
