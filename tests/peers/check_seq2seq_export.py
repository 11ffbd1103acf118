"""Trains a tiny T5 with the program, in full until it writes words, then an adapter beside that which writes others; exports
both ways, and asks transformers and PEFT for the same fifty texts, greedily and with beams.

    VENV/bin/python tests/peers/check_seq2seq_export.py target/debug/tunesmith

With transformers 4 `pipeline("text2text-generation")` is asked too, by the folder's name alone; version 5 has no such
pipeline any more. Not part of the tests: it needs torch. `bench/peers/setup.sh` prints an interpreter that has everything.
"""

import json
import shutil
import sys
from pathlib import Path

import torch
from exports import Checks, Program, whole, with_adapter
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer, pipeline
from transformers.pipelines import SUPPORTED_TASKS

FIXTURES = Path(__file__).parent.parent / "fixtures"
WORDS = ["the", "lighthouse", "keeper", "lamp", "weather", "water", "read", "reader", "light", "stairs"]
BEFORE = ["small", "model", "learns", "from", "a few", "lines", "of text", "again", "numbers", "climbed"]
PREFIX = "read: "
TOKENS = 8
VOCAB = 192


def base(folder: Path) -> Path:
    folder.mkdir()
    config = json.loads((FIXTURES / "tiny/t5_v1_1/config.json").read_text()) | {"vocab_size": VOCAB}
    (folder / "config.json").write_text(json.dumps(config))
    shutil.copy(FIXTURES / "tokenizers/t5/spiece.model", folder)
    tensors = load_file(FIXTURES / "tiny/t5_v1_1/model.safetensors")
    more = torch.randn(VOCAB - tensors["shared.weight"].shape[0], tensors["shared.weight"].shape[1])
    tensors["shared.weight"] = torch.cat([tensors["shared.weight"], more])
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    return folder


def says(model: torch.nn.Module, tokenizer, texts: list[str], beams: int) -> list[str]:
    said = []
    for text in texts:
        ids = tokenizer(text, return_tensors="pt")
        out = model.generate(**ids, max_new_tokens=TOKENS, num_beams=beams, do_sample=False, eos_token_id=1,
                             pad_token_id=0, decoder_start_token_id=0)
        said.append(tokenizer.decode(out[0], skip_special_tokens=True).strip())
    return said


def main() -> None:
    torch.manual_seed(1)
    checks = Checks()
    with Program(sys.argv[1]) as program:
        t5 = base(program.home / "t5")
        first, second = program.home / "next.jsonl", program.home / "last.jsonl"
        sources = [f"{before} {word}" for before in BEFORE for word in WORDS]
        for file, far in ((first, 1), (second, -1)):
            rows = [{"source": s, "target": WORDS[(at + far) % len(WORDS)]} for at, s in enumerate(sources)]
            file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        knobs = ["--batch-size", "16", "--gradient-accumulation", "1", "--eval-interval", "100", "--n-samples", "0"]
        program("train", "--model", str(t5), "--data", str(first), "--name", "base", "--method", "full",
                "--max-steps", "300", "--learning-rate", "0.003", *knobs)
        t5 = program.export("base", "merged", program.home / "base")
        program("train", "--model", str(t5), "--data", str(second), "--name", "words", "--source-prefix", PREFIX,
                "--max-steps", "200", "--learning-rate", "0.01", "--rank", "16", *knobs)
        adapter = program.export("words", "adapter", program.home / "adapter")
        merged = program.export("words", "merged", program.home / "merged")
        config = json.loads((merged / "config.json").read_text())
        checks.hold("config.json has the task prefix", config.get("prefix") == PREFIX, repr(config.get("prefix")))

        plain = AutoModelForSeq2SeqLM.from_pretrained(t5, dtype=torch.float32).eval()
        models = {
            "whole": whole(checks, "whole", AutoModelForSeq2SeqLM, merged),
            "PEFT": with_adapter(checks, "PEFT", AutoModelForSeq2SeqLM.from_pretrained(t5, dtype=torch.float32), adapter),
        }
        tokenizer = AutoTokenizer.from_pretrained(merged)
        sources = sources[::2]
        texts = [PREFIX + source for source in sources]
        for beams in (1, 4):
            app = program.objects("generate", "--run", "words", "--max-tokens", str(TOKENS), "--beams", str(beams),
                                  lines=sources)
            ours = [one["text"].strip() for one in app]
            how = f"{beams} beams" if beams > 1 else "greedy"
            far = sum(a != b for a, b in zip(says(plain, tokenizer, texts, beams), ours, strict=True))
            checks.hold(f"{how}: the base says something else", far > len(texts) // 2, f"{far} of {len(texts)} texts")
            several = len(set(ours))
            checks.hold(f"{how}: the app says more than one thing", several > 3, f"{several} texts")
            for name, model in models.items():
                same = sum(a == b for a, b in zip(says(model, tokenizer, texts, beams), ours, strict=True))
                checks.hold(f"{name}, {how}: the app's text", same == len(texts), f"{same} of {len(texts)} texts")
            if "text2text-generation" in SUPPORTED_TASKS:
                ask = pipeline("text2text-generation", model=str(merged))
                said = [one["generated_text"].strip() for one in ask(sources, max_new_tokens=TOKENS, num_beams=beams)]
                same = sum(a == b for a, b in zip(said, ours, strict=True))
                checks.hold(f"pipeline, {how}: the app's text, without its prefix given", same == len(texts),
                            f"{same} of {len(texts)} texts")
    checks.end()


if __name__ == "__main__":
    main()
