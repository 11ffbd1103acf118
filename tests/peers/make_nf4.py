"""Makes tests/fixtures/nf4.json: what bitsandbytes makes of numbers in NF4 (pip install bitsandbytes torch)."""

import json
from pathlib import Path

import bitsandbytes
import torch
from bitsandbytes import functional

torch.manual_seed(5)
n = 3 * 64 + 10
numbers = torch.randn(n) * torch.linspace(0.1, 3, n)
packed, state = functional.quantize_4bit(numbers, blocksize=64, quant_type="nf4", compress_statistics=False)
back = functional.dequantize_4bit(packed, state)
said = {
    "note": f"bitsandbytes {bitsandbytes.__version__}: nf4, blocks of 64, sizes not quantised again",
    "levels": state.code.flatten().tolist(),
    "numbers": numbers.tolist(),
    "packed": packed.flatten().tolist(),
    "absmax": state.absmax.flatten().tolist(),
    "back": back.flatten().tolist(),
}
path = Path(__file__).parent.parent / "fixtures" / "nf4.json"
path.write_text(json.dumps(said) + "\n")
