"""Training side by side, LoRA or all tensors: PEFT on torch and Tunesmith in turn, in one run, on one machine.

Each measurement is a process of its own, so peak memory is that work's alone. The two take turns, so a machine that
slows down slows both; medians over the rounds are reported. With `--dtype bfloat16` PEFT computes under autocast, and ours
keeps and multiplies frozen weights in bfloat16. Writes its section of bench/RESULTS.md.
"""

import argparse
import os
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from measured import said_by
from peers.base_model import default_folder, default_gguf
from report import commit, machine, quiet, today, write_section

SHAPES = [(4, 256), (1, 512), (2, 1024)]  # rows x tokens
RANK = 8
METHODS = {"lora": f"LoRA r={RANK} on all linear layers", "full": "all tensors learning"}
# What is ours: its name in the table, and its knobs. Beside an adapter, moments are small.
LAYERS = ["--optim=adamw_8bit", "--gradient_checkpointing=layer"]
SPARING = {"adamw_8bit": ["--optim=adamw_8bit"], "adamw_8bit, layers made again": LAYERS}
OURS = {"lora": {"": []}, "full": {"": [], **SPARING}}
PARTS = ["linears, forward", "linears, backward", "attention, forward", "attention, backward", "cross-entropy"]
DTYPES = {"float32": ("f32", "none"), "bfloat16": ("bfloat16", "bf16")}  # what is said, and our `quantization`
LEAST_SPEED, MOST_MEMORY = 1.15, 0.4  # of the peer's: what this project holds itself to


@dataclass
class Measured:
    tokens_per_sec: float
    peak_bytes: float
    cpu_secs_per_1k_tokens: float

    @staticmethod
    def middle(of: list["Measured"]) -> "Measured":
        fields = ("tokens_per_sec", "peak_bytes", "cpu_secs_per_1k_tokens")
        return Measured(*(statistics.median(getattr(m, field) for m in of) for field in fields))


def measure(command: list[str], n_tokens: int) -> Measured:
    said = said_by(command)
    return Measured(said["tokens_per_sec"], said["peak_bytes"], 1000 * said["cpu_secs"] / n_tokens)


def row(shape: tuple[int, int], sparing: str, peer: Measured, ours: Measured) -> str:
    speed, memory = ours.tokens_per_sec / peer.tokens_per_sec, ours.peak_bytes / peer.peak_bytes
    return (
        f"| {shape[0]}x{shape[1]}{f', ours by {sparing}' if sparing else ''} "
        f"| {peer.tokens_per_sec:.0f} | {ours.tokens_per_sec:.0f} | **{speed:.2f}** "
        f"| {peer.peak_bytes / 1e9:.2f} | {ours.peak_bytes / 1e9:.2f} | **{memory:.2f}** "
        f"| {peer.cpu_secs_per_1k_tokens:.1f} | {ours.cpu_secs_per_1k_tokens:.1f} |"
    )


def profile(shape: tuple[int, int], command: list[str]) -> str:
    """What the parts of a step cost, of the time of all threads: a row of the second table."""
    said = said_by(command)
    threads = min(os.cpu_count() or 1, shape[0]) if shape[0] > 1 else 1
    whole = said["secs"] * threads
    share = lambda secs: f"{100 * secs / whole:.0f} %"
    named = sum(said["parts"].values())
    cells = [share(said["parts"].get(part, 0.0)) for part in PARTS]
    busy = said["in_products_secs"] / (said["secs"] * (os.cpu_count() or 1))
    speed = said["product_flop"] / said["in_products_secs"] / 1e9
    return (
        f"| {shape[0]}x{shape[1]} | " + " | ".join(cells) + f" | {share(whole - named)} "
        f"| {100 * busy:.0f} % | {speed:.0f} |"
    )


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--gguf", type=Path, default=default_gguf(), help="what ours reads")
    ask.add_argument("--folder", type=Path, default=default_folder(), help="the same in Hugging Face form")
    ask.add_argument("--ours", type=Path, required=True, help="the built example `bench_step` of crate train")
    ask.add_argument("--method", choices=METHODS, default="lora")
    ask.add_argument("--dtype", choices=DTYPES, default="float32", help="bfloat16 for LoRA alone: what learns is f32")
    ask.add_argument("--rounds", type=int, default=3)
    ask.add_argument("--steps", type=int, default=5, help="timed steps in each measurement")
    asked = ask.parse_args()
    if asked.method == "full" and asked.dtype != "float32":
        ask.error("in full fine-tuning all weights learn, and what learns is f32: bfloat16 goes with LoRA")
    said, quantization = DTYPES[asked.dtype]

    warnings = quiet()
    rows, parts = [], []
    for shape in SHAPES:
        n_rows, n_tokens = shape
        ask_for = [f"--rows={n_rows}", f"--tokens={n_tokens}", f"--rank={RANK}", f"--steps={asked.steps}"]
        ask_for.append(f"--method={asked.method}")
        peer_command = [sys.executable, "bench/lora/peer.py", f"--model={asked.folder}", *ask_for, f"--dtype={asked.dtype}"]
        our_command = [str(asked.ours), f"--model={asked.gguf}", *ask_for, f"--quantization={quantization}"]
        contenders = {"PEFT": peer_command}
        contenders |= {sparing: [*our_command, *knobs] for sparing, knobs in OURS[asked.method].items()}
        found: dict[str, list[Measured]] = {who: [] for who in contenders}
        for at in range(asked.rounds):
            for who, command in contenders.items():
                found[who].append(measure(command, n_rows * n_tokens * asked.steps))
                print(f"{n_rows}x{n_tokens} round {at + 1} {who or 'ours'}: {found[who][-1]}", file=sys.stderr)
        peer, *ours = [(who, Measured.middle(measured)) for who, measured in found.items()]
        rows += [row(shape, sparing, peer[1], measured) for sparing, measured in ours]
        with tempfile.NamedTemporaryFile(suffix=".json") as trace:
            parts.append(profile(shape, [*our_command, f"--profile={trace.name}"]))

    name = "LoRA training" if asked.method == "lora" else "Full fine-tuning"
    write_section(
        asked.method if asked.dtype == "float32" else f"{asked.method} {asked.dtype}",
        f"""## {name if asked.dtype == "float32" else f"{name} in {said}"}

SmolLM2-135M-Instruct, {said}, CPU, {METHODS[asked.method]}, AdamW; loss over every next token.
PEFT on torch (versions in `bench/peers/requirements.txt`, all cores) and Tunesmith in turn, medians of
{asked.rounds} rounds of {asked.steps} steps. Asked of ourselves: at least {LEAST_SPEED}x the speed, at most {MOST_MEMORY}x the memory.

{machine()}; {today()}, commit {commit()}.{warnings}

| rows x tokens | PEFT tokens/s | ours | ratio | PEFT peak GB | ours | ratio | PEFT CPU s / 1k tokens | ours |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
{chr(10).join(rows)}

What the parts of ours cost, of the time of the threads that share them; the share of all cores' time that went into
matrix products, and what these reached in GFLOP/s on one core.

| rows x tokens | {" | ".join(PARTS)} | the rest | in products | GFLOP/s |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
{chr(10).join(parts)}
""",
    )


if __name__ == "__main__":
    main()
