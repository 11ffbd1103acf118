"""Seconds and peak memory of a step, by context length and by number of layers; each measurement a process of its own."""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from report import commit, machine, quiet, today, write_section

HERE = Path(__file__).resolve().parent
SHAPE = HERE.parent / "gpu" / "shapes" / "smollm2-135m.json"
CONTEXTS = [128, 256, 512, 1024, 2048, 4096]
LAYERS = [2, 5, 10, 20, 30]
AT = 256  # tokens of a row where depth is measured
KEPT = ["none", "layer"]


def measured(asked: argparse.Namespace, shape: Path, tokens: int, again: str) -> dict:
    command = [str(asked.ours), f"--shape={shape}", f"--device={asked.device}", "--rows=1", f"--tokens={tokens}"]
    command += [f"--steps={asked.steps}", f"--gradient_checkpointing={again}"]
    ran = subprocess.run(command, capture_output=True, text=True)
    if ran.returncode != 0:
        sys.exit(f"{' '.join(command)}\nended with {ran.returncode}:\n{ran.stderr[-2000:]}")
    said = json.loads(ran.stdout.strip().splitlines()[-1])
    print(f"{tokens} tokens, {shape.stem}, {again}: {said['secs'] / asked.steps:.3f} s", file=sys.stderr)
    return {"secs": said["secs"] / asked.steps, "peak_bytes": said["peak_bytes"]}


def table(what: str, rows: dict[int, dict[str, dict]]) -> str:
    head = f"| {what} | " + " | ".join(f"s a step, {k} again | peak GB" for k in KEPT) + " |"
    line = lambda m: f"{m['secs']:.2f} | {m['peak_bytes'] / 1e9:.2f}"
    cells = [f"| {at} | " + " | ".join(line(row[k]) for k in KEPT) + " |" for at, row in rows.items()]
    return "\n".join([head, "| --- " * (1 + 2 * len(KEPT)) + "|", *cells])


def draw(asked: argparse.Namespace, name: str, label: str, rows: dict[int, dict[str, dict]]) -> None:
    numbers = HERE / f"{name}.json"
    lines = {k: [[at, row[k]["secs"]] for at, row in rows.items()] for k in KEPT}
    numbers.write_text(json.dumps({"label": label, "lines": lines, "measured": rows}, indent=1) + "\n")
    subprocess.run([str(asked.draw), str(numbers), str(HERE / f"{name}.svg")], check=True)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--ours", type=Path, required=True, help="the built example `bench_step` of crate train")
    ask.add_argument("--draw", type=Path, required=True, help="the built example `cost` of crate charts")
    ask.add_argument("--device", default="cpu")
    ask.add_argument("--steps", type=int, default=3)
    ask.add_argument("--longest", type=int, default=CONTEXTS[-1])
    asked = ask.parse_args()

    warnings = quiet()
    contexts = [tokens for tokens in CONTEXTS if tokens <= asked.longest]
    by_context = {t: {k: measured(asked, SHAPE, t, k) for k in KEPT} for t in contexts}
    by_layers = {}
    with tempfile.TemporaryDirectory() as folder:
        for layers in LAYERS:
            config = json.loads(SHAPE.read_text()) | {"num_hidden_layers": layers}
            shape = Path(folder) / f"{layers}-layers.json"
            shape.write_text(json.dumps(config))
            by_layers[layers] = {k: measured(asked, shape, AT, k) for k in KEPT}
    draw(asked, "context", "Tokens in a row", by_context)
    draw(asked, "layers", "Layers", by_layers)
    write_section(
        "cost",
        f"""## Cost by context and depth

A model of SmolLM2-135M's shape with random weights, f32, {asked.device}, LoRA r=8 on all linear layers, one row at a time;
each of {asked.steps} steps. "None again" keeps what the backward pass needs, "layer again" makes it twice.
Drawn in `bench/cost/context.svg` and `bench/cost/layers.svg` by `bench/cost/run.sh`.

{machine()}; {today()}, commit {commit()}.{warnings}

{table("tokens", by_context)}

{table(f"layers, {AT} tokens", by_layers)}
""",
    )


if __name__ == "__main__":
    main()
