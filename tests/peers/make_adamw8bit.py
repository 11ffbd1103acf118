"""Makes tests/fixtures/adamw8bit.json with bitsandbytes (pip install torch bitsandbytes).

Its two maps of bytes, and thirty steps of AdamW8bit over two tensors by gradients that anyone can compute: one is large
enough to have its moments in bytes, the other is not.
"""

import json
from pathlib import Path

import numpy
import torch
from bitsandbytes.functional import create_dynamic_map
from bitsandbytes.optim import AdamW8bit

STEPS, SIZES = 30, [4352 + 17, 300]
SHOWN = range(0, SIZES[0], 61)


def wave(n: int, seed: float, size: float) -> torch.Tensor:
    at = numpy.arange(n, dtype=numpy.float64)
    return torch.tensor((numpy.sin(at * 0.37 + seed) * size).astype(numpy.float32))


def main() -> None:
    tensors = [torch.nn.Parameter(wave(n, 3.0, 1.0)) for n in SIZES]
    optimizer = AdamW8bit(tensors, lr=1e-3, weight_decay=0.01)
    for step in range(STEPS):
        for tensor in tensors:
            tensor.grad = wave(tensor.numel(), 0.2 * step, 1e-3)
        optimizer.step()
    assert optimizer.state[tensors[0]]["state1"].dtype == torch.uint8
    assert optimizer.state[tensors[1]]["state1"].dtype == torch.float32
    result = {
        "signed": create_dynamic_map(signed=True).tolist(),
        "unsigned": create_dynamic_map(signed=False).tolist(),
        "steps": STEPS,
        "sizes": SIZES,
        "shown": list(SHOWN),
        "after": [[t.detach()[i].item() for i in SHOWN if i < t.numel()] for t in tensors],
    }
    target = Path(__file__).parent.parent / "fixtures" / "adamw8bit.json"
    target.write_text(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
