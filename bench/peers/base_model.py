"""Writes the base model that the peers load: the f32 dequantisation of the starter model's GGUF file, in Hugging Face
form, into the peers' cache. Prints the folder.

transformers reads GGUF itself, so its own loader makes the numbers; ours are held to the same ones by the tests.
No tokenizer is written: transformers' conversion from GGUF loses the splitting of digits, and what is to be checked is
the tokenizer that our exports bring along.
"""

import argparse
import hashlib
import os
import sys
from pathlib import Path

GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
# Of model.safetensors, made with the versions in requirements.txt: other bytes mean another loader.
WEIGHTS_SHA256 = "a672150fb4f99d7c8f4168cecdd464069c0ef3a37d8113f22ddb9d48031d03cd"


def cache_home() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def default_gguf() -> Path:
    return Path(os.environ.get("TUNESMITH_TEST_CACHE") or cache_home() / "tunesmith-test") / GGUF


def default_folder() -> Path:
    home = Path(os.environ.get("TUNESMITH_PEERS") or cache_home() / "tunesmith-peers")
    return home / "models" / "smollm2-135m-instruct"


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def make(gguf: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, GgufConfig

    half_made = folder.with_name(folder.name + ".tmp")
    AutoModelForCausalLM.from_pretrained(
        gguf.parent, gguf_file=gguf.name, dtype=torch.float32, quantization_config=GgufConfig(dequantize=True)
    ).save_pretrained(half_made)
    half_made.rename(folder)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--gguf", type=Path, default=default_gguf())
    ask.add_argument("--folder", type=Path, default=default_folder())
    asked = ask.parse_args()
    if not asked.gguf.is_file():
        sys.exit(f"There is no {asked.gguf}. `cargo xtask test` fetches it, or name another with --gguf.")
    if not asked.folder.is_dir():
        make(asked.gguf, asked.folder)
    if asked.gguf.name == GGUF and (found := sha256(asked.folder / "model.safetensors")) != WEIGHTS_SHA256:
        print(f"warning: model.safetensors has SHA-256 {found}, expected {WEIGHTS_SHA256}", file=sys.stderr)
    print(asked.folder)


if __name__ == "__main__":
    main()
