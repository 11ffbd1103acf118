"""LoRA training on a GPU: Tunesmith through Vulkan with its frozen weights kept in several ways, and PEFT in bf16 on
CUDA where torch has one, in turn.

Needs no network and no model: weights are drawn at random for the shapes in `bench/gpu/shapes`. Each measurement is a
process of its own. Memory is what the card says is in use, above what was in use before the process began, where
`nvidia-smi` is there to ask. Writes `gpu.json` and `gpu.md` into --out.
"""

import argparse
import importlib.util
import json
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
SHAPES = ["smollm2-135m", "qwen2.5-0.5b", "qwen2.5-1.5b", "llama-3.2-1b"]
BATCHES = [(4, 256), (1, 1024)]  # rows x tokens
RANK = 8
# How ours keeps frozen weights, by what that is called here: what `bench_step` is asked. What lies in 4 bits is to be at
# least 0.7 times as quick as what lies in 16.
WAYS = {
    "f32": [],
    "bf16": ["--quantization=bf16"],
    "fp16": ["--mixed_precision=fp16"],
    "nf4": ["--quantization=nf4"],
    "nf4 in fp16": ["--quantization=nf4", "--mixed_precision=fp16"],
}
SIXTEEN = "fp16"


def used_bytes() -> int | None:
    """Memory of the first card that is in use, if anything can say so."""
    if shutil.which("nvidia-smi") is None:
        return None
    asked = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
    said = subprocess.run(asked, capture_output=True, text=True).stdout.split()
    return int(said[0]) * 2**20 if said and said[0].isdigit() else None


def measure(command: list[str], limit: float) -> dict:
    """What the process says, with the most memory that the card had in use meanwhile. An error is a measurement too."""
    before, most, ended = used_bytes(), 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not ended.wait(0.05):
            most = max(most, used_bytes() or 0)

    watcher = threading.Thread(target=watch)
    if before is not None:
        watcher.start()
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=limit)
        said = ran.stdout.strip().splitlines()
        if ran.returncode == 0 and said:
            result = json.loads(said[-1])
        else:
            result = {"error": f"ended with {ran.returncode}: {ran.stderr[-600:]}"}
    except subprocess.TimeoutExpired:
        result = {"error": f"took longer than {limit:.0f} s"}
    finally:
        ended.set()
        if before is not None:
            watcher.join()
    result["card_bytes"] = None if before is None else max(0, most - before)
    return result


def has_cuda() -> bool:
    if any(importlib.util.find_spec(module) is None for module in ("torch", "transformers", "peft")):
        return False
    import torch

    return torch.cuda.is_available()


def figure(said: dict | None, name: str, scale: float, digits: int) -> str:
    if said is None:
        return "-"
    if "error" in said:
        return "failed"
    return "?" if said.get(name) is None else f"{said[name] * scale:.{digits}f}"


def ratio(ours: dict, peer: dict | None, name: str) -> str:
    of = [said.get(name) if said and "error" not in said else None for said in (ours, peer)]
    return f"**{of[0] / of[1]:.2f}**" if all(of) else "-"


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--ours", type=Path, required=True, help="the built example `bench_step` of crate train")
    ask.add_argument("--out", type=Path, default=Path("."), help="the folder for what was measured")
    ask.add_argument("--shapes", nargs="+", default=SHAPES, help=f"of {sorted(p.stem for p in (HERE / 'shapes').glob('*.json'))}")
    ask.add_argument("--batches", nargs="+", default=[f"{r}x{t}" for r, t in BATCHES], help="rows x tokens: 4x256")
    ask.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS), help="how ours keeps frozen weights")
    ask.add_argument("--steps", type=int, default=5)
    ask.add_argument("--limit", type=float, default=150, help="seconds for one measurement")
    asked = ask.parse_args()
    peer_there = has_cuda()
    asked.out.mkdir(parents=True, exist_ok=True)
    all_said, rows, device = [], [], "?"
    for shape in asked.shapes:
        for batch in asked.batches:
            n_rows, n_tokens = batch.split("x")
            ask_for = [f"--shape={HERE / 'shapes' / shape}.json", f"--rows={n_rows}", f"--tokens={n_tokens}"]
            ask_for += [f"--rank={RANK}", f"--steps={asked.steps}"]
            peer = measure([sys.executable, str(HERE / "peer.py"), *ask_for], asked.limit) if peer_there else None
            found = {}
            for way in asked.ways:
                command = [str(asked.ours), "--device=gpu:0", *ask_for, *WAYS[way]]
                found[way] = ours = measure(command, asked.limit)
                device = ours.get("device", device)
                all_said.append({"shape": shape, "batch": batch, "way": way, "ours": ours, "peer": peer})
                print(json.dumps(all_said[-1]), file=sys.stderr)
            rows += [
                f"| {shape} | {batch} | {way} "
                f"| {figure(peer, 'tokens_per_sec', 1, 0)} | {figure(ours, 'tokens_per_sec', 1, 0)} "
                f"| {ratio(ours, peer, 'tokens_per_sec')} | {ratio(ours, found.get(SIXTEEN), 'tokens_per_sec')} "
                f"| {figure(peer, 'card_bytes', 1e-9, 2)} | {figure(ours, 'card_bytes', 1e-9, 2)} "
                f"| {ratio(ours, peer, 'card_bytes')} |"
                for way, ours in found.items()
            ]
            # Whole after each batch: what was measured stays if the time runs out.
            table = "\n".join(rows)
            (asked.out / "gpu.json").write_text(json.dumps(all_said, indent=1), encoding="utf-8")
            (asked.out / "gpu.md").write_text(
                f"""LoRA r={RANK} on all linear layers, weights at random, AdamW, {asked.steps} timed steps. Ours through
{device}, its products in f32 but for fp16, its frozen weights kept as named; PEFT in bf16 on CUDA on the same card. {time.strftime("%Y-%m-%d", time.gmtime())}.

| shape | rows x tokens | ours kept as | PEFT tokens/s | ours | ratio | of ours in {SIXTEEN} | PEFT GB on the card | ours | ratio |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
{table}
""",
                encoding="utf-8",
            )
    print((asked.out / "gpu.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
