"""One measurement of the peer on a GPU: LoRA training steps by PEFT on torch, weights drawn at random for a shape, in
bf16 on CUDA. Prints one JSON object. A step is what a trainer does per update: forward, loss over all next tokens,
backward, AdamW, gradients cleared."""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--shape", type=Path, required=True, help="a config.json")
    ask.add_argument("--rows", type=int, default=4)
    ask.add_argument("--tokens", type=int, default=256)
    ask.add_argument("--rank", type=int, default=8)
    ask.add_argument("--steps", type=int, default=5, help="timed, after two that are not")
    asked = ask.parse_args()

    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(0)
    described = json.loads(asked.shape.read_text(encoding="utf-8"))
    config = AutoConfig.for_model(described.pop("model_type"), **described)
    with torch.device("cuda"):
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    model.config.use_cache = False
    adapter = LoraConfig(
        task_type="CAUSAL_LM", r=asked.rank, lora_alpha=2 * asked.rank, lora_dropout=0.0, target_modules="all-linear"
    )
    model = get_peft_model(model, adapter).train()
    learning = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(learning, lr=2e-4)
    batches = torch.randint(0, config.vocab_size, (asked.steps + 2, asked.rows, asked.tokens), device="cuda")

    def step(ids: "torch.Tensor") -> None:
        model(input_ids=ids, labels=ids).loss.backward()
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        torch.cuda.synchronize()

    for ids in batches[:2]:  # the first ones allocate and choose kernels
        step(ids)
    secs = []
    for ids in batches[2:]:
        start = time.perf_counter()
        step(ids)
        secs.append(time.perf_counter() - start)
    print(
        json.dumps(
            {
                "device": torch.cuda.get_device_name(),
                "tokens_per_sec": asked.rows * asked.tokens / statistics.median(secs),
                "allocated_bytes": torch.cuda.max_memory_allocated(),
                "versions": {m: sys.modules[m].__version__ for m in ("torch", "transformers", "peft")},
            }
        )
    )


if __name__ == "__main__":
    main()
