"""One measurement of the peer: QLoRA training steps by PEFT over bitsandbytes' NF4, on the CPU. Prints one JSON object.

The same step as bench/lora/peer.py measures: forward, loss over all next tokens, backward, AdamW, gradients cleared.
"""

import argparse
import json
import os
import resource
import time
from pathlib import Path


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--model", type=Path, required=True, help="folder in Hugging Face form")
    ask.add_argument("--rows", type=int, default=4)
    ask.add_argument("--tokens", type=int, default=256)
    ask.add_argument("--rank", type=int, default=8)
    ask.add_argument("--steps", type=int, default=3, help="timed, after one that is not")
    asked = ask.parse_args()

    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    torch.manual_seed(0)
    how = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.float32)
    model = AutoModelForCausalLM.from_pretrained(
        asked.model, quantization_config=how, dtype=torch.float32, device_map="cpu"
    )
    model.config.use_cache = False
    adapter = LoraConfig(
        task_type="CAUSAL_LM", r=asked.rank, lora_alpha=2 * asked.rank, lora_dropout=0.0, target_modules="all-linear"
    )
    model = get_peft_model(model, adapter).train()
    optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=2e-4)
    batches = torch.randint(0, model.config.vocab_size, (asked.steps + 1, asked.rows, asked.tokens))
    for at, ids in enumerate(batches):
        if at == 1:
            started, cpu_started = time.perf_counter(), time.process_time()
        loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
    secs = time.perf_counter() - started
    said = {
        "tokens_per_sec": asked.steps * asked.rows * asked.tokens / secs,
        "cpu_secs": time.process_time() - cpu_started,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "loss": loss.item(),
    }
    print(json.dumps(said))


if __name__ == "__main__":
    main()
