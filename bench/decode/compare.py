"""Greedy text beside llama.cpp on the processor: both read the same file, take the same prompt and write as many tokens on
as many threads, in turn, each measurement in a process of its own. Medians over the rounds. Writes its section of
bench/RESULTS.md.
"""

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from measured import middle, said_by
from peers.base_model import default_folder, default_gguf
from report import commit, machine, quiet, today, write_section

GOAL = 0.8


def alike(ours: list[int], theirs: list[int]) -> int:
    """How many tokens both begin with."""
    pairs = zip(ours, theirs, strict=False)
    return next((at for at, (one, other) in enumerate(pairs) if one != other), min(len(ours), len(theirs)))


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--gguf", type=Path, default=default_gguf(), help="weights in blocks")
    ask.add_argument("--exact", type=Path, default=default_folder().with_suffix(".f32.gguf"), help="the same in f32")
    ask.add_argument("--ours", type=Path, required=True, help="the built bench_write of crate train")
    ask.add_argument("--packages", type=Path, required=True, help="the folder that bench/decode/setup.sh prints")
    ask.add_argument("--rounds", type=int, default=3)
    ask.add_argument("--tokens", type=int, default=128, help="new ones; the first is not timed")
    ask.add_argument("--prompts", default="16,512", help="lengths of prompts")
    ask.add_argument("--threads", type=int, default=min(2, len(os.sched_getaffinity(0))))
    asked = ask.parse_args()

    warnings = quiet()
    files = {"f32": (asked.exact, "none"), "Q4_1, embedding Q8_0": (asked.gguf, "stored")}
    prompts = [int(n) for n in asked.prompts.split(",")]
    ours: dict[tuple, list[dict]] = {(how, n): [] for how in files for n in prompts}
    theirs: dict[tuple, list[dict]] = {(how, n): [] for how in files for n in prompts}
    for _ in range(asked.rounds):
        for how, n in ours:
            file, kept = files[how]
            same = [f"--model={file}", f"--tokens={asked.tokens}", f"--prompt={n}", f"--threads={asked.threads}"]
            peer = ["node", "bench/decode/peer.mjs", f"--packages={asked.packages}"]
            theirs[how, n].append(said_by([*peer, *same]))
            ours[how, n].append(said_by([str(asked.ours), *same, f"--quantization={kept}"]))
            found = [of[how, n][-1]["tokens_per_sec"] for of in (theirs, ours)]
            print(how, n, "llama.cpp {:.1f}, ours {:.1f} tokens/s".format(*found), file=sys.stderr)

    rows, met = [], True
    for how, n in ours:
        one, other = theirs[how, n], ours[how, n]
        ratio = middle(other, "tokens_per_sec") / middle(one, "tokens_per_sec")
        reading = [middle(of, "prompt_tokens_per_sec") for of in (one, other)]
        met = met and ratio >= GOAL
        rows.append(
            f"| {how} | {n} | {middle(one, 'tokens_per_sec'):.1f} | {middle(other, 'tokens_per_sec'):.1f} | **{ratio:.2f}** "
            f"| {reading[0]:.0f} | {reading[1]:.0f} | {reading[1] / reading[0]:.2f} "
            f"| {middle(one, 'peak_bytes') / 1e9:.2f} | {middle(other, 'peak_bytes') / 1e9:.2f} "
            f"| {alike(other[0]['ids'], one[0]['ids'])} |"
        )
    write_section(
        "decode",
        f"""## Written text beside llama.cpp

SmolLM2-135M-Instruct, CPU, {asked.threads} threads, greedy: {asked.tokens} tokens after a prompt, llama.cpp (node-llama-cpp, version in
`bench/decode/package.json`) and Tunesmith in turn from the same files, medians of {asked.rounds} rounds. Writing is timed from
the second token on, reading up to the first. llama.cpp's process includes Node; the tokens that both begin with may part where
it rounds activations to 8 bits, which ours does not. Asked of ourselves: at least {GOAL}x its tokens per second: {"holds" if met else "does not hold"}.

{machine()}; {today()}, commit {commit()}.{warnings}

| weights | prompt | written tokens/s: llama.cpp | ours | ratio | read tokens/s: llama.cpp | ours | ratio | peak GB: llama.cpp | ours | same tokens |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
{chr(10).join(rows)}
""",
    )


if __name__ == "__main__":
    main()
