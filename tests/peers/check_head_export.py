"""Trains small models with heads with the program, exports each both ways, and holds what transformers and PEFT make of
them to what the program says of the same fifty texts.

    VENV/bin/python tests/peers/check_head_export.py target/debug/tunesmith [--encoder FOLDER]

The encoder is a folder of MiniLM (the tests' own is in `testkit::minilm`); left out, a tiny random BERT stands in. The
decoders are tiny random ones of the fixtures. Held are the labels and probabilities of `pipeline("text-classification")`
and the entities of `pipeline("token-classification")`, of the whole model and of PEFT on the base, and that the base with
its newborn head says something else.

Not part of the tests: it needs torch. `bench/peers/setup.sh` prints an interpreter that has everything.
"""

import argparse
import json
import shutil
from pathlib import Path

import torch
from exports import Checks, Program, whole, with_adapter
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
    pipeline,
)

FIXTURES = Path(__file__).parent.parent / "fixtures"
MOST = 1e-3  # of any probability, in f32
SAYINGS = {
    "light": ["the lighthouse", "light the lamp", "the lamp again", "a lamp by the stairs", "the keeper lit the lamp"],
    "water": ["weather and water", "read the water", "water again and again", "the sea and the rain", "rain on the water"],
    "stairs": ["climb the stairs", "stairs and a few lines", "the keeper climbed", "up again and again", "a few more stairs"],
}
NAMES = {"PER": ["Ada Lovelace", "Grace", "Alan Turing"], "LOC": ["Rome", "New York", "Oslo"]}
TEXTS = 50


def labelled(n: int) -> list[tuple[str, str]]:
    every = [(text, label) for label, texts in SAYINGS.items() for text in texts]
    return [(f"{every[i % len(every)][0]} {i}", every[i % len(every)][1]) for i in range(n)]


def sentences(n: int) -> list[list[tuple[str, str]]]:
    def tagged(kind: str, name: str) -> list[tuple[str, str]]:
        return [(word, f"{'I' if i else 'B'}-{kind}") for i, word in enumerate(name.split())]

    rows = []
    for i in range(n):
        person, place = NAMES["PER"][i % 3], NAMES["LOC"][i // 3 % 3]
        plain = [(word, "O") for word in (["went", "to"] if i % 2 else ["reads", "in"])]
        rows.append([*tagged("PER", person), *plain, *tagged("LOC", place), (str(i), "O")])
    return rows


def tiny(family: str, kind: type, place: Path) -> Path:
    """A random model of the family's tiny shape, with as many rows as the tiny tokenizer of that family has tokens."""
    files = FIXTURES / "tokenizers" / family
    tokenizer = AutoTokenizer.from_pretrained(files)
    config = AutoConfig.from_pretrained(FIXTURES / "tiny" / family, vocab_size=len(tokenizer))
    kind.from_config(config).save_pretrained(place)
    for file in files.iterdir():
        if file.name not in ("expected.json", "config.json"):
            shutil.copy(file, place)
    return place


def chances(said: list[dict]) -> dict[str, float]:
    return {one["label"]: one["score"] for one in said}


def labels_agree(checks: Checks, who: str, ask, texts: list[str], app: list[dict]) -> None:
    found = [chances(said) for said in ask(texts, top_k=None)]
    ours = [{one["label"]: one["probability"] for one in said["labels"]} for said in app]
    best = sum(max(a, key=a.get) == max(b, key=b.get) for a, b in zip(found, ours, strict=True))
    far = max(abs(a[label] - b[label]) for a, b in zip(found, ours, strict=True) for label in b)
    checks.hold(f"{who}: the label of pipeline", best == len(texts), f"{best} of {len(texts)} texts")
    checks.hold(f"{who}: the probabilities of all labels", far <= MOST, f"max difference {far:.1e}")


def entities_agree(checks: Checks, who: str, ask, texts: list[str], app: list[dict]) -> None:
    found = [[(one["entity_group"], one["start"], one["end"]) for one in said] for said in ask(texts)]
    ours = [[(one["label"], one["start"], one["end"]) for one in said["entities"]] for said in app]
    same = sum(a == b for a, b in zip(found, ours, strict=True))
    some = sum(len(one) for one in ours)
    checks.hold(f"{who}: the entities of pipeline", same == len(texts) and some > 0, f"{same} of {len(texts)} texts, {some} entities")


def moved(checks: Checks, who: str, tuned: torch.nn.Module, base: torch.nn.Module, folder: Path, text: str) -> None:
    ids = AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt")
    with torch.no_grad():
        far = (tuned(**ids).logits - base(**ids).logits).abs().max().item()
    checks.hold(f"{who}: the tuned model says something else than the base", far > 10 * MOST, f"by up to {far:.2f}")


def check(checks: Checks, program: Program, who: str, base: Path, data: Path, knobs: list[str], texts: list[str]) -> None:
    name = who.replace(" ", "-")
    program("train", "--model", str(base), "--data", str(data), "--name", name, "--device", "cpu",
            *knobs)
    app = program.objects("classify", "--run", name, lines=texts)
    tags = "entities" in app[0]
    kind = AutoModelForTokenClassification if tags else AutoModelForSequenceClassification
    task = "token-classification" if tags else "text-classification"
    asks = {"aggregation_strategy": "first"} if tags else {}
    agree = entities_agree if tags else labels_agree

    folder = program.export(name, "merged", program.home / f"{name}-whole")
    said = f"{who}, whole"
    model = whole(checks, said, kind, folder)
    agree(checks, said, pipeline(task, model=model, tokenizer=AutoTokenizer.from_pretrained(folder), **asks), texts, app)
    # By the folder's name alone, as a person has it.
    agree(checks, f"{said}, by name", pipeline(task, model=str(folder), **asks), texts, app)
    if "full" in knobs:
        return
    folder = program.export(name, "adapter", program.home / f"{name}-adapter")
    said = f"{who}, PEFT"
    config = AutoConfig.from_pretrained(folder)
    newborn = kind.from_pretrained(base, config=config, dtype=torch.float32).eval()
    model = with_adapter(checks, said, kind.from_pretrained(base, config=config, dtype=torch.float32), folder)
    moved(checks, said, model, newborn, folder, texts[0])
    ask = pipeline(task, model=model.merge_and_unload(), tokenizer=AutoTokenizer.from_pretrained(folder), **asks)
    agree(checks, said, ask, texts, app)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("program")
    ask.add_argument("--encoder", type=Path, help="a folder of MiniLM")
    asked = ask.parse_args()
    torch.manual_seed(0)
    checks = Checks()
    with Program(asked.program) as program:
        labels, tags = program.home / "labels.jsonl", program.home / "tags.conll"
        rows = labelled(150)
        labels.write_text("".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in rows))
        blocks = ["".join(f"{word} {tag}\n" for word, tag in row) for row in sentences(120)]
        tags.write_text("\n".join(blocks))
        texts = [text for text, _ in labelled(500)[-TEXTS:]]
        named = [" ".join(word for word, _ in row) for row in sentences(500)[-TEXTS:]]

        encoder = asked.encoder or tiny("bert", AutoModel, program.home / "bert")
        steps = ["--max-steps", "60", "--learning-rate", "0.003"]
        full = ["--max-steps", "60", "--learning-rate", "0.0003", "--method", "full"]
        check(checks, program, "encoder labels", encoder, labels, steps, texts)
        check(checks, program, "encoder labels in full", encoder, labels, full, texts)
        check(checks, program, "encoder tags", encoder, tags, steps, named)
        for family in ("gpt2", "qwen2"):
            decoder = tiny(family, AutoModelForCausalLM, program.home / family)
            check(checks, program, f"{family} labels", decoder, labels, steps, texts)
    checks.end()


if __name__ == "__main__":
    main()
