"""An epoch of supervised fine-tuning by TRL and by Tunesmith, in turn; some steps of each, scaled up to all examples."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from measured import REPOSITORY, said_by
from peers.base_model import default_folder, default_gguf
from report import commit, machine, quiet, today, write_section

MOST = 0.5  # of the peer's time: what this project holds itself to


def run(asked: argparse.Namespace, home: str, *arguments: str) -> None:
    command = [str(asked.ours), *arguments]
    ran = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, env=os.environ | {"TUNESMITH_HOME": home})
    if ran.returncode != 0:
        sys.exit(f"{' '.join(command)}\nended with {ran.returncode}:\n{ran.stdout[-1000:]}{ran.stderr[-2000:]}")


def train(asked: argparse.Namespace, home: str, per_step: int, steps: int) -> list[float]:
    """Seconds of each step of ours but the first."""
    threads = os.cpu_count() or 1
    knobs = ["--rank=8", "--dropout=0", "--packing=off", f"--batch-size={min(threads, per_step)}"]
    knobs += [f"--gradient-accumulation={max(1, per_step // threads)}", f"--max-steps={steps + 1}"]
    knobs += ["--eval-interval=1000000", "--eval-examples=1", "--n-samples=0", "--device=cpu", "--name=sft"]
    run(asked, home, "train", f"--model={asked.gguf}", f"--data={asked.data}", *knobs)
    events = next(Path(home).rglob("events.jsonl")).read_text().splitlines()
    said = [json.loads(line)["event"] for line in events]
    return [event["secs"] for event in said if event["kind"] == "stepped"][1:]


def tokenizer(asked: argparse.Namespace, home: str) -> Path:
    """Beside an adapter that ours exports: the one in the GGUF file loses its splitting of digits in transformers."""
    train(asked, home, 1, 0)
    run(asked, home, "export", "--run=last")
    return next(Path(home).rglob("tokenizer.json")).parent


def peer(asked: argparse.Namespace, tokenizer: Path) -> tuple[float, int, int]:
    command = [sys.executable, "bench/sft/peer.py", f"--model={asked.folder}", f"--data={asked.data}"]
    said = said_by([*command, f"--tokenizer={tokenizer}", f"--steps={asked.steps}"])
    epoch = said["secs_per_step"] * said["examples"] / said["examples_per_step"]
    return epoch, said["examples_per_step"], said["examples"]


def ours(asked: argparse.Namespace, per_step: int, examples: int) -> float:
    with tempfile.TemporaryDirectory() as home:
        secs = train(asked, home, per_step, asked.steps)
    return sum(secs) / len(secs) * examples / per_step


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--ours", type=Path, required=True, help="the built program `tunesmith`")
    ask.add_argument("--data", type=Path, required=True, help="a file of instruction, input and output")
    ask.add_argument("--gguf", type=Path, default=default_gguf(), help="what ours reads")
    ask.add_argument("--folder", type=Path, default=default_folder(), help="the same in Hugging Face form")
    ask.add_argument("--steps", type=int, default=10, help="timed steps of each, after one that is not")
    ask.add_argument("--rounds", type=int, default=1)
    asked = ask.parse_args()

    warnings = quiet()
    theirs, own, per_step, examples = [], [], 0, 0
    with tempfile.TemporaryDirectory() as home:
        beside = tokenizer(asked, home)
        for at in range(asked.rounds):
            secs, per_step, examples = peer(asked, beside)
            theirs.append(secs)
            own.append(ours(asked, per_step, examples))
            print(f"round {at + 1}: TRL {secs:.0f} s, Tunesmith {own[-1]:.0f} s", file=sys.stderr)
    trl, tunesmith = statistics.median(theirs), statistics.median(own)
    share = tunesmith / trl
    write_section(
        "sft",
        f"""## An epoch of real data

`{asked.data.name}`, {examples} instructions with replies taught; SmolLM2-135M-Instruct, f32, CPU, LoRA r=8 on all linear
layers, {per_step} examples behind a step. TRL's SFTTrainer with its defaults (versions in `bench/peers/requirements.txt`)
and Tunesmith in turn, {asked.rounds} rounds of {asked.steps} steps, **scaled up** to the epoch.

{machine()}; {today()}, commit {commit()}.{warnings}

| TRL, an epoch | Tunesmith | ratio | at most {MOST} |
| --- | --- | --- | --- |
| {trl:.0f} s | {tunesmith:.0f} s | **{share:.2f}** | {"holds" if share <= MOST else "does not hold"} |
""",
    )


if __name__ == "__main__":
    main()
