#!/usr/bin/env bash
# Measures Tunesmith beside its peers and writes bench/RESULTS.md. Sets up what it needs outside the repository.
#   bench/run.sh            everything
#   bench/run.sh lora       LoRA training beside PEFT on torch; further options go to bench/lora/compare.py
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

import() {
    PYTHON="$python" bench/import/run.sh "$@"
}

case "$what" in
    all) lora; import ;;
    lora | import) "$what" "$@" ;;
    *) echo "bench/run.sh: no benchmark \`$what\`; there are lora and import" >&2; exit 2 ;;
esac
