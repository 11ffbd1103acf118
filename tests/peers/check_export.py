"""Loads what Tunesmith exported with the tools it is meant for, and holds their answers to Tunesmith's own.

What the app says comes from `cargo run --release -p export --example answers -- ... --out APP` (see there). Checked
against it, on the same prompts:

- the tokenizer's files: the same ids for the same text, chat template included;
- `--adapter`: PEFT on the base: every tensor found its place, the logits, the greedy text, and that the base alone
  says something else (a wrong name would leave the adapter at zero without an error);
- `--merged`: transformers alone: the logits and the greedy text. Weights in half precision are rounded, so there the
  logits are held to the same bound as Tunesmith's own reading back.

Not part of the tests: it needs torch. `bench/peers/setup.sh` prints an interpreter that has everything.
"""

import argparse
import json
import sys
from pathlib import Path

import torch
from exports import Checks, with_adapter
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
from peers.base_model import default_folder

MOST = 1e-3  # of any logit, in f32
BITS = {torch.bfloat16: 8, torch.float16: 11}  # of precision


def tokenizer_agrees(checks: Checks, who: str, folder: Path, answers: list[dict]) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for answer in answers:
        if answer["messages"] is None:
            ids = tokenizer(answer["prompt"])["input_ids"]
        else:
            rendered = tokenizer.apply_chat_template(
                answer["messages"], add_generation_prompt=True, tokenize=True, return_dict=True
            )
            ids = rendered["input_ids"]
        checks.hold(f"{who}: tokenizer, {answer['name']}", list(ids) == answer["ids"], f"{len(answer['ids'])} ids")
        text = tokenizer.decode(answer["greedy_ids"], skip_special_tokens=True)
        checks.hold(f"{who}: decoded text, {answer['name']}", text == answer["greedy_text"], repr(text[:60]))


@torch.no_grad()
def logits(model: torch.nn.Module, ids: list[int]) -> torch.Tensor:
    return model(input_ids=torch.tensor([ids])).logits[0].float()


@torch.no_grad()
def greedy(model: torch.nn.Module, answer: dict) -> list[int]:
    out = model.generate(
        input_ids=torch.tensor([answer["ids"]]),
        attention_mask=torch.ones(1, len(answer["ids"]), dtype=torch.long),
        max_new_tokens=answer["max_tokens"],
        do_sample=False,
        temperature=None, top_p=None, top_k=None, repetition_penalty=1.0,
        eos_token_id=answer["ends"] or None,
        pad_token_id=answer["ends"][0] if answer["ends"] else 0,
    )
    return out[0, len(answer["ids"]) :].tolist()


def answers_agree(
    checks: Checks, who: str, model: torch.nn.Module, app: Path, answers: list[dict], stored: torch.dtype
) -> None:
    expected = load_file(app / "logits.safetensors")
    for answer in answers:
        want, found = expected[answer["name"]], logits(model, answer["ids"])
        difference = (want - found).abs().max().item()
        if stored == torch.float32:
            checks.hold(f"{who}: logits, {answer['name']}", difference <= MOST, f"max difference {difference:.2e}")
        else:
            n_layers = model.config.num_hidden_layers
            most = 2.0 ** -BITS[stored] * (4 * n_layers + 1) ** 0.5
            relative = ((want - found).norm() / want.norm()).item()
            checks.hold(
                f"{who}: logits, {answer['name']}", relative <= most,
                f"relative {relative:.2e} of {most:.2e}, max difference {difference:.2e}",
            )
        if stored == torch.float32:
            ids = greedy(model, answer)
            checks.hold(f"{who}: greedy, {answer['name']}", ids == answer["greedy_ids"], f"{len(ids)} tokens")


def check_adapter(checks: Checks, folder: Path, base: Path, app: Path, answers: list[dict]) -> None:
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).eval()
    alone = {answer["name"]: logits(model, answer["ids"]) for answer in answers}
    model = with_adapter(checks, "PEFT", model, folder)
    moved = max((logits(model, a["ids"]) - alone[a["name"]]).abs().max().item() for a in answers)
    checks.hold("PEFT: the tuned model says something else than the base", moved > 10 * MOST, f"by up to {moved:.2f}")

    tokenizer_agrees(checks, "PEFT", folder, answers)
    answers_agree(checks, "PEFT", model, app, answers, torch.float32)


def check_merged(checks: Checks, folder: Path, app: Path, answers: list[dict]) -> None:
    model, loading = AutoModelForCausalLM.from_pretrained(folder, dtype="auto", output_loading_info=True)
    # A tied output projection is not in the file and is not missed.
    missing = [k for k in loading["missing_keys"] if not (k == "lm_head.weight" and model.config.tie_word_embeddings)]
    who, stored = f"transformers {model.dtype}".replace("torch.", ""), model.dtype
    checks.hold(f"{who}: no missing keys", not missing, missing[:3] or "none")
    checks.hold(f"{who}: no unexpected keys", not loading["unexpected_keys"], list(loading["unexpected_keys"])[:3] or "none")
    tokenizer_agrees(checks, who, folder, answers)
    # Computed in f32 whatever the storage: what is compared is the weights, not torch's half-precision kernels.
    answers_agree(checks, who, model.float().eval(), app, answers, stored)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--app", type=Path, required=True, help="folder that the example `answers` wrote")
    ask.add_argument("--adapter", type=Path, help="exported adapter folder")
    ask.add_argument("--merged", type=Path, action="append", default=[], help="exported merged folder; may be repeated")
    ask.add_argument("--base", type=Path, default=default_folder(), help="the base in Hugging Face form, f32")
    asked = ask.parse_args()
    if not asked.adapter and not asked.merged:
        ask.error("name an --adapter or a --merged folder")

    torch.manual_seed(0)
    answers = json.loads((asked.app / "answers.json").read_text(encoding="utf-8"))
    checks = Checks()
    if asked.adapter:
        check_adapter(checks, asked.adapter, asked.base, asked.app, answers)
    for folder in asked.merged:
        check_merged(checks, folder, asked.app, answers)
    checks.end()


if __name__ == "__main__":
    main()
