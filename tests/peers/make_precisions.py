"""Makes tests/fixtures/lora_precisions.json: the loss and gradients of lora_loss_grads.json's first batch, by PEFT in f32,
over a SmolLM2 whose linear layers hold what their blocks stand for: NF4 as bitsandbytes makes it, and Q8_0 as gguf does.

    bench/peers/setup.sh, then its python tests/peers/make_precisions.py
"""

import json
import sys
from pathlib import Path

import torch
from bitsandbytes import __version__ as bitsandbytes_version
from bitsandbytes import functional
from gguf import quants
from gguf.constants import GGMLQuantizationType
from peft import LoraConfig, get_peft_model, set_peft_model_state_dict
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

HERE = Path(__file__).resolve().parent
FIXTURES = HERE.parent / "fixtures"
sys.path.insert(0, str(HERE.parent.parent / "bench" / "peers"))
from base_model import default_folder

# Layers whose gradients are told one by one.
TOLD = ("layers.0.", "layers.14.", "layers.29.")


def nf4(weight: torch.Tensor) -> torch.Tensor:
    packed, state = functional.quantize_4bit(weight, blocksize=64, quant_type="nf4", compress_statistics=False)
    return functional.dequantize_4bit(packed, state)


def q8_0(weight: torch.Tensor) -> torch.Tensor:
    kind = GGMLQuantizationType.Q8_0
    return torch.from_numpy(quants.dequantize(quants.quantize(weight.numpy(), kind), kind)).reshape(weight.shape)


def rounded(x: float) -> float:
    return float(f"{x:.9g}")


def measured(decoded, ids: torch.Tensor) -> dict:
    model = AutoModelForCausalLM.from_pretrained(default_folder(), dtype=torch.float32)
    with torch.no_grad():
        for name, module in model.model.layers.named_modules():
            if isinstance(module, torch.nn.Linear):
                before = module.weight.clone()
                module.weight.copy_(decoded(before.contiguous()))
                assert not torch.equal(before, module.weight), name
    config = LoraConfig(r=8, lora_alpha=16, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM")
    model = get_peft_model(model, config)
    given = {name: tensor.float() for name, tensor in load_file(FIXTURES / "lora_init.safetensors").items()}
    told = set_peft_model_state_dict(model, given)
    assert not told.unexpected_keys, told.unexpected_keys
    loss = model(input_ids=ids, labels=ids).loss
    loss.backward()
    norms = {
        name.replace(".default", ""): parameter.grad.double().norm().item()
        for name, parameter in model.named_parameters()
        if parameter.grad is not None
    }
    assert len(norms) == 420, len(norms)
    total = sum(norm**2 for norm in norms.values()) ** 0.5
    some = {name: rounded(norm) for name, norm in norms.items() if any(layer in name for layer in TOLD)}
    return {"loss": rounded(loss.item()), "total_norm": rounded(total), "norms": some}


def main() -> None:
    known = json.loads((FIXTURES / "lora_loss_grads.json").read_text())
    ids = torch.tensor(known["data_ids"][0])
    plain = measured(lambda weight: torch.nextafter(weight, torch.zeros(())), ids)
    off = abs(plain["loss"] - known["grad_f32"]["loss"])
    assert off < 1e-4, f"this is not how lora_loss_grads.json was made: its loss is off by {off}"
    said = {
        "note": f"as grad_f32 of lora_loss_grads.json, linear layers decoded; bitsandbytes {bitsandbytes_version}",
        "nf4": measured(nf4, ids),
        "q8_0": measured(q8_0, ids),
    }
    (FIXTURES / "lora_precisions.json").write_text(json.dumps(said))
    print({how: said[how]["loss"] for how in ("nf4", "q8_0")}, "exact", known["grad_f32"]["loss"])


if __name__ == "__main__":
    main()
