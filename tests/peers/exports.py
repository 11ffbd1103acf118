"""What the checks of exports share: saying what held, asking the program, loading an adapter with PEFT."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import torch
from peft import PeftConfig, PeftModel
from safetensors.torch import load_file


class Checks:
    """Says each check as it is made and remembers whether all held."""

    def __init__(self) -> None:
        self.failed = 0

    def hold(self, what: str, ok: bool, found: object = "") -> None:
        print(f"{'ok  ' if ok else 'FAIL'} {what}{f': {found}' if found != '' else ''}", flush=True)
        self.failed += not ok

    def end(self) -> None:
        print("all hold" if not self.failed else f"{self.failed} do not hold")
        sys.exit(1 if self.failed else 0)


class Program:
    """Tunesmith with a home of its own, which is gone at the end."""

    def __init__(self, path: str) -> None:
        self.path = Path(path).resolve()
        self.home = Path(tempfile.mkdtemp())

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.home)

    def __call__(self, *words: str, lines: list[str] | None = None) -> str:
        done = subprocess.run(
            [self.path, *words],
            input=None if lines is None else "".join(f"{line}\n" for line in lines),
            env=os.environ | {"TUNESMITH_HOME": str(self.home / "home")},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout

    def objects(self, *words: str, lines: list[str] | None = None) -> list[dict]:
        return [json.loads(line) for line in self(*words, "--json", lines=lines).splitlines()]

    def export(self, run: str, form: str, place: Path) -> Path:
        """`adapter`, or the whole model in f32."""
        whole = ["--dtype", "f32"] if form == "merged" else []
        self("export", "--run", run, "--format", form, *whole, "--out", str(place))
        return place


def with_adapter(checks: Checks, who: str, model: torch.nn.Module, folder: Path) -> PeftModel:
    """The model with the adapter in `folder`; that PEFT found a place for every tensor of it, and for nothing else."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        model = PeftModel(model, PeftConfig.from_pretrained(folder), adapter_name="default").eval()
        loaded = model.load_adapter(folder, adapter_name="default")
    amiss = [str(w.message) for w in said if "adapter" in str(w.message).lower() or "key" in str(w.message).lower()]
    checks.hold(f"{who}: no missing keys", not loaded.missing_keys, loaded.missing_keys[:3] or "none")
    checks.hold(f"{who}: no unexpected keys", not loaded.unexpected_keys, loaded.unexpected_keys[:3] or "none")
    checks.hold(f"{who}: no warnings", not amiss, amiss[:1] or "none")
    stored = load_file(folder / "adapter_model.safetensors")
    placed = {
        name.replace(".modules_to_save.default.", ".").replace(".default.", "."): p
        for name, p in model.named_parameters()
        if ".lora_" in name or ".modules_to_save." in name
    }
    equal = placed.keys() == stored.keys() and all(torch.equal(placed[name].float(), t) for name, t in stored.items())
    checks.hold(f"{who}: every tensor of the file is in the model", equal, f"{len(stored)} tensors")
    return model


def whole(checks: Checks, who: str, kind: type, folder: Path) -> torch.nn.Module:
    """The whole model in `folder`; that its class is the one its file names and that it lacks nothing."""
    model, loading = kind.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    checks.hold(f"{who}: the class of config.json", type(model).__name__ == model.config.architectures[0])
    for what in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        # A tied output projection is not in the file and is not missed.
        found = [key for key in sorted(loading[what]) if not (key == "lm_head.weight" and model.config.tie_word_embeddings)]
        checks.hold(f"{who}: no {what.replace('_', ' ')}", not found, found[:3] or "none")
    return model.eval()
