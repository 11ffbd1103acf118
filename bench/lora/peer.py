"""One measurement of the peer: LoRA training steps by PEFT on torch, on the CPU. Prints one JSON object.

A step is what a trainer does per update: forward, loss over all next tokens, backward, AdamW, gradients cleared.
Loading is not timed; peak memory is the whole process's, Python included. With bfloat16 the forward pass runs under
autocast, as trainers do with `bf16=True`.
"""

import argparse
import json
import os
import resource
import statistics
import sys
import time
from pathlib import Path


def peak_bytes() -> int:
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--model", type=Path, required=True, help="folder in Hugging Face form")
    ask.add_argument("--rows", type=int, default=4)
    ask.add_argument("--tokens", type=int, default=256)
    ask.add_argument("--method", choices=["lora", "full"], default="lora")
    ask.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    ask.add_argument("--rank", type=int, default=8)
    ask.add_argument("--steps", type=int, default=5, help="timed, after one that is not")
    ask.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())
    asked = ask.parse_args()

    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(asked.threads)
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_pretrained(asked.model, dtype=torch.float32)
    model.config.use_cache = False
    if asked.method == "lora":
        adapter = LoraConfig(
            task_type="CAUSAL_LM", r=asked.rank, lora_alpha=2 * asked.rank, lora_dropout=0.0, target_modules="all-linear"
        )
        model = get_peft_model(model, adapter)
    model = model.train()
    learning = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(learning, lr=2e-4)
    batches = torch.randint(0, model.config.vocab_size, (asked.steps + 1, asked.rows, asked.tokens))

    def step(ids: "torch.Tensor") -> float:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=asked.dtype == "bfloat16"):
            loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        return loss.item()

    losses = [step(batches[0])]  # the first also allocates
    cpu_start, secs = time.process_time(), []
    for ids in batches[1:]:
        start = time.perf_counter()
        losses.append(step(ids))
        secs.append(time.perf_counter() - start)
    print(
        json.dumps(
            {
                "tokens_per_sec": asked.rows * asked.tokens / statistics.median(secs),
                "peak_bytes": peak_bytes(),
                "cpu_secs": time.process_time() - cpu_start,
                "secs": sum(secs),
                "steps": asked.steps,
                "trainable": sum(p.numel() for p in learning),
                "losses": losses,
                "versions": {m: sys.modules[m].__version__ for m in ("torch", "transformers", "peft")},
            }
        )
    )


if __name__ == "__main__":
    main()
