"""Peak memory of training steps over the grid; each measurement a process of its own. Writes what the plan's tests hold its
forecast to, and a section of RESULTS.md."""

import argparse
import itertools
import json
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from report import commit, machine, today, write_section

ROOT = Path(__file__).resolve().parent.parent.parent
SHAPE = ROOT / "bench" / "gpu" / "shapes" / "smollm2-135m.json"
PEAKS = ROOT / "crates" / "plan" / "tests" / "peaks.txt"
BATCHES = [(4, 256), (1, 512), (2, 1024)]
OPTIMS = ["adamw", "adamw_8bit"]
KEPT = ["none", "attention", "layer"]
FROZEN = ["none", "bf16", "nf4"]


def peak(
    asked: argparse.Namespace, method: str, rows: int, tokens: int, optim: str, again: str, frozen: str
) -> int:
    command = [str(asked.ours), f"--shape={SHAPE}", f"--method={method}", f"--rows={rows}", f"--tokens={tokens}"]
    command += [f"--optim={optim}", f"--gradient_checkpointing={again}", f"--quantization={frozen}", "--steps=1"]
    ran = subprocess.run(command, capture_output=True, text=True)
    if ran.returncode != 0:
        sys.exit(f"{' '.join(command)}\nended with {ran.returncode}:\n{ran.stderr[-2000:]}")
    found = json.loads(ran.stdout.strip().splitlines()[-1])["peak_bytes"]
    said = f"{method} {rows}x{tokens} {optim} {again} {frozen}"
    print(f"{said}: {found / 1e9:.2f} GB", file=sys.stderr, flush=True)
    return found


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--ours", type=Path, required=True, help="the built example `bench_step` of crate train")
    asked = ask.parse_args()
    grid = itertools.product(["lora", "full"], BATCHES, OPTIMS, KEPT, FROZEN)
    # An adapter's moments are small either way, and what learns whole is not frozen.
    grid = [p for p in grid if (p[2] == "adamw" if p[0] == "lora" else p[4] == "none")]
    found = {}
    for method, (rows, tokens), optim, again, frozen in grid:
        found[method, rows, tokens, optim, again, frozen] = peak(asked, method, rows, tokens, optim, again, frozen)
    lines = [f"{' '.join(map(str, point))} {bytes}" for point, bytes in found.items()]
    head = "# Peaks by bench/memory/run.sh on two threads: method, rows, tokens of each, optim, gradient checkpointing, frozen weights, bytes."
    PEAKS.write_text("\n".join([head, *lines]) + "\n")
    table = ["| method, optimiser, frozen weights | rows x tokens | " + " | ".join(f"{again} again, GB" for again in KEPT) + " |"]
    table.append("| --- " * (2 + len(KEPT)) + "|")
    for method, frozen, optim, (rows, tokens) in itertools.product(["lora", "full"], FROZEN, OPTIMS, BATCHES):
        if (method, rows, tokens, optim, KEPT[0], frozen) in found:
            cells = [f"{found[method, rows, tokens, optim, again, frozen] / 1e9:.2f}" for again in KEPT]
            frozen = "f32" if frozen == "none" else frozen
            table.append(f"| {method}, {optim}, {frozen} | {rows}x{tokens} | {' | '.join(cells)} |")
    write_section(
        "memory",
        f"""## Peak memory

A model of SmolLM2-135M's shape, CPU, LoRA r=8 on all linear layers or all tensors whole, every token taught. What is
made again is made in the backward pass instead of being kept. The plan foresees each of these within 15 %
(`crates/plan/tests/peaks.txt`). By `bench/memory/run.sh`; other programs change times and not these sizes.

{machine()}; {today()}, commit {commit()}.

{chr(10).join(table)}
""",
    )


if __name__ == "__main__":
    main()
