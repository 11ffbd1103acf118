"""Training and writing over quantised weights, beside exact ones: Tunesmith's own forms in turn, and QLoRA by PEFT over
bitsandbytes. Each measurement is a process of its own; medians over the rounds. Writes its
section of bench/RESULTS.md.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from measured import middle, said_by
from peers.base_model import default_folder, default_gguf
from report import commit, machine, quiet, today, write_section

KEPT = {"none": "f32", "stored": "as the GGUF has them (Q4_1, embedding Q8_0)", "nf4": "NF4", "q8_0": "Q8_0"}


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--gguf", type=Path, default=default_gguf(), help="what ours reads")
    ask.add_argument("--folder", type=Path, default=default_folder(), help="the same in Hugging Face form")
    ask.add_argument("--ours", type=Path, required=True, help="folder of the built examples of crate train")
    ask.add_argument("--rounds", type=int, default=3)
    ask.add_argument("--steps", type=int, default=3, help="timed steps in each measurement")
    ask.add_argument("--built", default="release build", help="how the examples were built")
    asked = ask.parse_args()

    warnings = quiet()
    shape = ["--rows=4", "--tokens=256", "--rank=8", f"--steps={asked.steps}"]
    steps: dict[str, list[dict]] = {how: [] for how in KEPT}
    writes: dict[str, list[dict]] = {how: [] for how in KEPT}
    peer: list[dict] = []
    for _ in range(asked.rounds):
        for how in KEPT:
            options = [f"--model={asked.gguf}", f"--quantization={how}"]
            steps[how].append(said_by([str(asked.ours / "bench_step"), *options, *shape]))
            writes[how].append(said_by([str(asked.ours / "bench_write"), *options]))
            print(how, steps[how][-1]["tokens_per_sec"], writes[how][-1]["tokens_per_sec"], file=sys.stderr)
        peer.append(said_by([sys.executable, "bench/quantised/peer.py", f"--model={asked.folder}", *shape]))
        print("PEFT", peer[-1], file=sys.stderr)

    exact = middle(steps["none"], "tokens_per_sec")
    rows = [
        f"| {said} | {middle(steps[how], 'tokens_per_sec'):.0f} "
        f"| {middle(steps[how], 'tokens_per_sec') / exact:.2f} | {middle(steps[how], 'peak_bytes') / 1e9:.2f} "
        f"| {1000 * middle(steps[how], 'cpu_secs') / (1024 * asked.steps):.1f} "
        f"| {middle(writes[how], 'tokens_per_sec'):.0f} | {middle(writes[how], 'peak_bytes') / 1e9:.2f} |"
        for how, said in KEPT.items()
    ]
    rows.append(
        f"| PEFT, bitsandbytes NF4 | {middle(peer, 'tokens_per_sec'):.0f} "
        f"| {middle(peer, 'tokens_per_sec') / exact:.2f} | {middle(peer, 'peak_bytes') / 1e9:.2f} "
        f"| {1000 * middle(peer, 'cpu_secs') / (1024 * asked.steps):.1f} | | |"
    )
    write_section(
        "quantised",
        f"""## Quantised weights

SmolLM2-135M-Instruct, CPU, LoRA r=8 on all linear layers, 4x256 tokens a step, activations in f32; and greedy text of 64
tokens after 16. Medians of {asked.rounds} rounds in turn; {asked.built}. Asked of ourselves: 4 bits at 0.7x our own exact speed.

{machine()}; {today()}, commit {commit()}.{warnings}

| frozen weights | training tokens/s | of exact | peak GB | CPU s / 1k tokens | written tokens/s | peak GB |
| --- | --- | --- | --- | --- | --- | --- |
{chr(10).join(rows)}
""",
    )


if __name__ == "__main__":
    main()
