"""Import and tokenisation side by side: `datasets` with transformers, and Tunesmith, in turn, on one machine.

Each measurement is a process of its own, timed inside from the moment its libraries are loaded. Both must come to
the same number of tokens. Writes its section of bench/RESULTS.md.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from peers.base_model import default_gguf
from report import commit, machine, quiet, today, write_section

REPOSITORY = Path(__file__).resolve().parents[2]
MOST_TIME = 0.5  # of the peer's: what this project holds itself to


def said_by(command: list[str]) -> dict:
    ran = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    if ran.returncode != 0:
        sys.exit(f"{' '.join(command)}\nended with {ran.returncode}:\n{ran.stderr[-2000:]}")
    lines = ran.stdout.strip().splitlines()
    return json.loads(lines[-1]) if lines else {}


def middle(all_said: list[dict], key: str) -> float:
    return statistics.median(said[key] for said in all_said)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--ours", type=Path, required=True, help="the built example `import_bench` of crate data")
    ask.add_argument("--gguf", type=Path, default=default_gguf(), help="whose tokenizer and template are used")
    ask.add_argument("--rows", type=int, default=100_000)
    ask.add_argument("--rounds", type=int, default=3)
    args = ask.parse_args()

    was_quiet = quiet()
    ours = str(args.ours.resolve())
    peer = str(Path(__file__).with_name("peer.py"))
    theirs_said, ours_said = [], []
    with tempfile.TemporaryDirectory() as folder:
        rows = f"{folder}/rows.jsonl"
        said_by([ours, "make", rows, str(args.rows)])
        said_by([ours, "tokenizer", str(args.gguf), folder])
        size = Path(rows).stat().st_size
        for _ in range(args.rounds):
            theirs_said.append(said_by([sys.executable, peer, rows, folder]))
            ours_said.append(said_by([ours, "run", rows, str(args.gguf)]))
    for key in ("rows", "tokens"):
        found = {said[key] for said in theirs_said + ours_said}
        if len(found) != 1:
            sys.exit(f"the two do not agree on the number of {key}: {sorted(found)}")

    lines = ["| work | datasets + transformers | Tunesmith | ratio |", "| --- | --- | --- | --- |"]
    total = {}
    for name, keys in [
        ("import", ["import_secs"]),
        ("tokenise", ["tokenise_secs"]),
        ("both", ["import_secs", "tokenise_secs"]),
    ]:
        their_secs, our_secs = (
            sum(middle(said, key) for key in keys) for said in (theirs_said, ours_said)
        )
        total[name] = our_secs / their_secs
        lines.append(f"| {name} | {their_secs:.1f} s | {our_secs:.1f} s | **{total[name]:.2f}** |")
    verdict = "holds" if total["both"] <= MOST_TIME else "DOES NOT HOLD"
    write_section(
        "Import and tokenise",
        "\n".join(
            [
                "## Import and tokenise",
                "",
                f"{args.rows:,} conversations ({size / 1e6:.0f} MB, {ours_said[0]['tokens']:,} tokens), SmolLM2's "
                f"tokenizer. Ours also finds duplicates, keeps the rows under their hash and masks all but the "
                f"replies. Medians of {args.rounds} rounds in turn.",
                "",
                *lines,
                "",
                f"At most {MOST_TIME} of the peer's time: {verdict}.",
                "",
                f"{today()}, commit {commit()}, {machine()}.{was_quiet}",
            ]
        ),
    )
    if total["both"] > MOST_TIME:
        sys.exit(f"ours takes {total['both']:.2f} of the peer's time; at most {MOST_TIME} is allowed")


main()
