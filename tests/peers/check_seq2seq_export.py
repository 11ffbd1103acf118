"""Trains a tiny T5 with the program, exports it both ways, and asks transformers and PEFT for the same texts
(pip install torch transformers peft safetensors).

    VENV/bin/python tests/peers/check_seq2seq_export.py target/debug/tunesmith
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

FIXTURES = Path(__file__).parent.parent / "fixtures"
WORDS = ["the", "lighthouse", "keeper", "lamp", "weather", "water", "read", "reader", "light", "stairs"]
BEFORE = ["small", "model", "learns", "from", "a few", "lines", "of text", "again", "numbers", "climbed"]
VOCAB = 192


def base(folder):
    folder.mkdir()
    config = json.loads((FIXTURES / "tiny/t5_v1_1/config.json").read_text()) | {"vocab_size": VOCAB}
    (folder / "config.json").write_text(json.dumps(config))
    shutil.copy(FIXTURES / "tokenizers/t5/spiece.model", folder)
    tensors = load_file(FIXTURES / "tiny/t5_v1_1/model.safetensors")
    torch.manual_seed(1)
    more = torch.randn(VOCAB - tensors["shared.weight"].shape[0], tensors["shared.weight"].shape[1])
    tensors["shared.weight"] = torch.cat([tensors["shared.weight"], more])
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


def main():
    program = Path(sys.argv[1]).resolve()
    home = Path(tempfile.mkdtemp())
    base(home / "t5")
    rows = [
        {"source": f"{before} {word}", "target": WORDS[(at + 1) % len(WORDS)]}
        for before in BEFORE
        for at, word in enumerate(WORDS)
    ]
    (home / "words.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def tunesmith(*words):
        done = subprocess.run(
            [program, *words], env=os.environ | {"TUNESMITH_HOME": str(home / "home")}, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    tunesmith("train", "--model", str(home / "t5"), "--data", str(home / "words.jsonl"), "--name", "words",
              "--max-steps", "60", "--learning-rate", "0.02", "--rank", "8")
    tunesmith("export", "--run", "words", "--format", "adapter", "--out", str(home / "adapter"))
    tunesmith("export", "--run", "words", "--format", "merged", "--dtype", "f32", "--out", str(home / "merged"))

    plain = AutoModelForSeq2SeqLM.from_pretrained(home / "t5").eval()
    models = {
        "merged": AutoModelForSeq2SeqLM.from_pretrained(home / "merged").eval(),
        "adapter": PeftModel.from_pretrained(AutoModelForSeq2SeqLM.from_pretrained(home / "t5"), home / "adapter").eval(),
    }
    tokenizer = AutoTokenizer.from_pretrained(home / "merged")
    differ, moved = 0, 0
    for row in rows[::5]:
        for beams in (1, 4):
            ours = tunesmith("generate", "--run", "words", "--prompt", row["source"], "--max-tokens", "8",
                             "--beams", str(beams)).strip()
            ids = tokenizer(row["source"], return_tensors="pt")

            def says(model):
                out = model.generate(**ids, max_new_tokens=8, num_beams=beams, do_sample=False, eos_token_id=1,
                                     pad_token_id=0, decoder_start_token_id=0)
                return tokenizer.decode(out[0], skip_special_tokens=True).strip()

            moved += says(plain) != ours
            for name, model in models.items():
                if says(model) != ours:
                    differ += 1
                    print(f"{name}, {beams} beams, {row['source']!r}: {says(model)!r} where ours says {ours!r}")
    print(f"{len(rows[::5])} sources, 2 searches, 2 exports: {differ} differ; {moved} of {2 * len(rows[::5])} differ from the base")
    shutil.rmtree(home)
    sys.exit(differ > 0 or moved == 0)


main()
