#!/usr/bin/env bash
# Measures Tunesmith beside its peers and writes bench/RESULTS.md. Sets up what it needs outside the repository.
#   bench/run.sh            everything
#   bench/run.sh lora       LoRA training beside PEFT on torch; further options go to bench/lora/compare.py
#   bench/run.sh lora --dtype bfloat16    the same in bfloat16, PEFT's under autocast
#   bench/run.sh quantised  the same and written text over weights in blocks, beside PEFT over bitsandbytes
#   bench/run.sh decode     written text beside llama.cpp; needs Node; options to bench/decode/compare.py
#   bench/run.sh full       the same of all tensors
#   bench/run.sh memory     peak memory of a step over the grid, which the plan's forecast is held to
#   bench/run.sh cost       what a step costs by context and depth, drawn; options to bench/cost/measure.py
#   bench/run.sh sft --data alpaca_en_demo.json    an epoch beside TRL; options to bench/sft/compare.py
#   bench/gpu/run.sh        LoRA training on a graphics card beside PEFT on CUDA, from carried files alone
# Close everything else first: torch on two threads is several times slower when another program uses a core.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

what="${1:-all}"
[ $# -eq 0 ] || shift
python="$(bench/peers/setup.sh)"

lora() {
    cargo build --quiet --release -p train --example bench_step
    "$python" bench/peers/base_model.py > /dev/null
    "$python" bench/lora/compare.py --ours "${CARGO_TARGET_DIR:-target}/release/examples/bench_step" "$@"
}

quantised() {
    cargo build --quiet --release -p train --example bench_step --example bench_write
    "$python" bench/peers/base_model.py > /dev/null
    "$python" bench/quantised/compare.py --ours "${CARGO_TARGET_DIR:-target}/release/examples" "$@"
}

bfloat16() {
    lora --dtype bfloat16 "$@"
}

decode() {
    cargo build --quiet --release -p train --example bench_write
    "$python" bench/decode/exact_gguf.py > /dev/null
    packages="$(bench/decode/setup.sh)"
    "$python" bench/decode/compare.py --ours "${CARGO_TARGET_DIR:-target}/release/examples/bench_write" \
        --packages "$packages" "$@"
}

full() {
    lora --method full "$@"
}

cost() {
    bench/cost/run.sh "$@"
}

memory() {
    bench/memory/run.sh "$@"
}

sft() {
    bench/sft/run.sh "$@"
}

import() {
    PYTHON="$python" bench/import/run.sh "$@"
}

case "$what" in
    all) lora; bfloat16; full; quantised; decode; import; memory; cost ;;
    lora | bfloat16 | full | quantised | decode | import | memory | cost | sft) "$what" "$@" ;;
    *) echo "bench/run.sh: no benchmark \`$what\`; there are lora, bfloat16, full, quantised, decode, import, memory, cost and sft" >&2; exit 2 ;;
esac
