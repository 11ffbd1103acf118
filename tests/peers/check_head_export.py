"""Loads exported models with heads with transformers and PEFT, and holds their answers to Tunesmith's own.

What the app says comes from `cargo run --release -p export --example head_answers` (see there). Checked against it, on
the same texts:

- the tokenizer's files: the same ids;
- `--whole`: transformers alone: nothing missing, nothing unexpected, the head's numbers, and the labels that
  `pipeline` gives;
- `--adapter` with `--base`: PEFT: every tensor found its place, the head's numbers, and that the base with its newborn
  head says something else.

Not part of the tests: it needs torch. `bench/peers/setup.sh` prints an interpreter that has everything.
"""

import argparse
import json
import sys
import warnings
from pathlib import Path

import torch
from peft import PeftConfig, PeftModel
from safetensors.torch import load_file
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
    pipeline,
)

MOST = 1e-3  # of any number, in f32


class Checks:
    """Says each check as it is made and remembers whether all held."""

    def __init__(self) -> None:
        self.failed = 0

    def hold(self, what: str, ok: bool, found: object = "") -> None:
        print(f"{'ok  ' if ok else 'FAIL'} {what}{f': {found}' if found != '' else ''}")
        self.failed += not ok


def reads_tokens(config: AutoConfig) -> bool:
    return config.architectures[0].endswith("ForTokenClassification")


def class_for(config: AutoConfig) -> type:
    return AutoModelForTokenClassification if reads_tokens(config) else AutoModelForSequenceClassification


@torch.no_grad()
def numbers(model: torch.nn.Module, ids: list[int]) -> torch.Tensor:
    found = model(input_ids=torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long)).logits[0]
    return found.float().reshape(-1, found.shape[-1])


def tokenizer_agrees(checks: Checks, who: str, folder: Path, answers: list[dict]) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    same = sum(tokenizer(answer["text"])["input_ids"] == answer["ids"] for answer in answers)
    checks.hold(f"{who}: token ids", same == len(answers), f"{same} of {len(answers)} texts")


def numbers_agree(checks: Checks, who: str, model: torch.nn.Module, answers: list[dict]) -> None:
    differences = [(numbers(model, a["ids"]) - torch.tensor(a["logits"])).abs().max().item() for a in answers]
    checks.hold(f"{who}: the head's numbers", max(differences) <= MOST, f"max difference {max(differences):.2e}")


def labels_agree(checks: Checks, who: str, folder: Path, answers: list[dict]) -> None:
    """What `pipeline` says, beside the largest of the app's numbers."""
    config = AutoConfig.from_pretrained(folder)
    if reads_tokens(config):
        ask = pipeline("token-classification", model=str(folder), aggregation_strategy="none", ignore_labels=[])
        # The app's numbers for the special tokens around the text are left out, as the pipeline leaves them out.
        app = [[config.id2label[max(range(len(r)), key=r.__getitem__)] for r in a["logits"][1:-1]] for a in answers]
        said = [[token["entity"] for token in ask(a["text"])] for a in answers]
    elif config.problem_type == "regression":
        return
    else:
        ask = pipeline("text-classification", model=str(folder))
        app = [config.id2label[max(range(len(r)), key=r.__getitem__)] for r in (a["logits"][0] for a in answers)]
        said = [one["label"] for one in ask([a["text"] for a in answers])]
    same = sum(one == other for one, other in zip(app, said, strict=True))
    checks.hold(f"{who}: pipeline's labels", same == len(answers), f"{same} of {len(answers)} texts")


def check_whole(checks: Checks, folder: Path, answers: list[dict]) -> None:
    config = AutoConfig.from_pretrained(folder)
    model, loading = class_for(config).from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    who = f"transformers {type(model).__name__}"
    checks.hold(f"{who}: the class of config.json", type(model).__name__ == config.architectures[0])
    for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        found = sorted(loading[kind])
        checks.hold(f"{who}: no {kind.replace('_', ' ')}", not found, found[:3] or "none")
    tokenizer_agrees(checks, who, folder, answers)
    numbers_agree(checks, who, model.eval(), answers)
    labels_agree(checks, who, folder, answers)


def check_adapter(checks: Checks, folder: Path, base: Path, answers: list[dict]) -> None:
    config = AutoConfig.from_pretrained(folder)
    model = class_for(config).from_pretrained(base, config=config, dtype=torch.float32).eval()
    alone = [numbers(model, a["ids"]) for a in answers]
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        model = PeftModel(model, PeftConfig.from_pretrained(folder), adapter_name="default").eval()
        loaded = model.load_adapter(folder, adapter_name="default")
    amiss = [str(w.message) for w in said if "adapter" in str(w.message).lower() or "key" in str(w.message).lower()]
    checks.hold("PEFT: no missing keys", not loaded.missing_keys, loaded.missing_keys[:3] or "none")
    checks.hold("PEFT: no unexpected keys", not loaded.unexpected_keys, loaded.unexpected_keys[:3] or "none")
    checks.hold("PEFT: no warnings", not amiss, amiss[:1] or "none")

    stored = load_file(folder / "adapter_model.safetensors")
    placed = {
        name.replace(".modules_to_save.default.", ".").replace(".default.", "."): p
        for name, p in model.named_parameters()
        if ".lora_" in name or ".modules_to_save." in name
    }
    equal = placed.keys() == stored.keys() and all(torch.equal(placed[name].float(), t) for name, t in stored.items())
    checks.hold("PEFT: every tensor of the file is in the model", equal, f"{len(stored)} tensors")
    moved = max((numbers(model, a["ids"]) - old).abs().max().item() for a, old in zip(answers, alone, strict=True))
    checks.hold("PEFT: the tuned model says something else than the base", moved > 10 * MOST, f"by up to {moved:.2f}")
    tokenizer_agrees(checks, "PEFT", folder, answers)
    numbers_agree(checks, "PEFT", model, answers)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--answers", type=Path, required=True, help="what the example `head_answers` wrote of this export")
    ask.add_argument("--whole", type=Path, help="exported model folder")
    ask.add_argument("--adapter", type=Path, help="exported adapter folder")
    ask.add_argument("--base", type=Path, help="the adapter's base")
    asked = ask.parse_args()
    if bool(asked.whole) == bool(asked.adapter) or bool(asked.adapter) != bool(asked.base):
        ask.error("name a --whole folder, or an --adapter and its --base")

    torch.manual_seed(0)
    answers = json.loads(asked.answers.read_text(encoding="utf-8"))
    checks = Checks()
    if asked.whole:
        check_whole(checks, asked.whole, answers)
    else:
        check_adapter(checks, asked.adapter, asked.base, answers)
    print("all hold" if not checks.failed else f"{checks.failed} do not hold")
    sys.exit(1 if checks.failed else 0)


if __name__ == "__main__":
    main()
