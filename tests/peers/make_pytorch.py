"""Writes tests/fixtures/pytorch with torch: checkpoints as `torch.save` writes them, some that must be refused, and what
is in them (pip install torch). Also the seeds of the fuzz target `pytorch`.
"""

import json
import os
import shutil
from collections import OrderedDict
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "tests" / "fixtures" / "pytorch"
SEEDS = ROOT / "fuzz" / "seeds" / "pytorch"


class Runs:
    def __reduce__(self):
        return os.system, ("echo this would have been run",)


def state():
    torch.manual_seed(3)
    shared = torch.randn(6, 4)
    wide = torch.randn(10, 4)
    return OrderedDict(
        [
            ("shared.weight", shared),
            ("lm_head.weight", shared),
            ("half", torch.randn(3, 2).half()),
            ("brain", torch.randn(5).bfloat16()),
            ("double", torch.randn(2, 2, 2).double()),
            ("ids", torch.arange(7)),
            ("scalar", torch.tensor(2.5)),
            ("turned", torch.randn(4, 3).t()),
            ("rows", wide[2:5]),
            ("parameter", torch.nn.Parameter(torch.randn(2, 3))),
            ("empty", torch.zeros(0, 4)),
        ]
    )


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    tensors = state()
    said = {
        name: {"shape": list(t.shape), "values": [float(x) for x in t.detach().double().flatten()]}
        for name, t in tensors.items()
    }
    (OUT / "expected.json").write_text(json.dumps(said) + "\n")
    torch.save(tensors, OUT / "state.bin")
    module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.LayerNorm(3))
    torch.save(module.state_dict(), OUT / "module.bin")
    torch.save({"state_dict": dict(tensors), "epoch": 3, "args": ["a", 1, 2.5, None, True]}, OUT / "nested.bin")
    torch.save(tensors, OUT / "legacy.bin", _use_new_zipfile_serialization=False)
    torch.save({"weight": torch.zeros(2), "run": Runs()}, OUT / "code.bin")
    torch.save({"weight": torch.randn(2, 3, 4).permute(2, 0, 1)}, OUT / "permuted.bin")
    torch.save(torch.zeros(2), OUT / "tensor.bin")
    SEEDS.mkdir(parents=True, exist_ok=True)
    for name in ("state", "nested"):
        shutil.copy(OUT / f"{name}.bin", SEEDS / f"{name}.bin")


main()
