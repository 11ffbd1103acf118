"""One measurement of the peer: steps of TRL's SFTTrainer with its defaults, on the CPU. Prints one JSON object."""

import argparse
import json
import time
from pathlib import Path


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--model", type=Path, required=True, help="folder in Hugging Face form")
    ask.add_argument("--tokenizer", type=Path, required=True, help="folder with the model's tokenizer and template")
    ask.add_argument("--data", type=Path, required=True)
    ask.add_argument("--steps", type=int, default=10, help="timed, after one that is not")
    ask.add_argument("--rank", type=int, default=8)
    asked = ask.parse_args()

    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoTokenizer, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    rows = json.loads(asked.data.read_text(encoding="utf-8"))
    ask_for = lambda row: f"{row['instruction']}\n{row['input']}" if row.get("input") else row["instruction"]
    message = lambda role, text: [{"role": role, "content": text}]
    data = Dataset.from_list(
        [{"prompt": message("user", ask_for(r)), "completion": message("assistant", r["output"])} for r in rows]
    )

    class Clock(TrainerCallback):
        ends: list[float] = []

        def on_step_end(self, *_, **__):
            self.ends.append(time.perf_counter())

    # Its defaults but for what is measured and where: f32 on the CPU, nothing saved, nothing reported.
    config = SFTConfig(
        output_dir="/tmp/tunesmith-bench-sft",
        max_steps=asked.steps + 1,
        use_cpu=True,
        bf16=False,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        seed=42,
    )
    adapter = LoraConfig(
        task_type="CAUSAL_LM", r=asked.rank, lora_alpha=2 * asked.rank, lora_dropout=0.0, target_modules="all-linear"
    )
    clock = Clock()
    trainer = SFTTrainer(
        model=str(asked.model),
        processing_class=AutoTokenizer.from_pretrained(asked.tokenizer),
        args=config,
        train_dataset=data,
        peft_config=adapter,
        callbacks=[clock],
    )
    trainer.train()
    secs = clock.ends[-1] - clock.ends[0]
    per_step = config.per_device_train_batch_size * config.gradient_accumulation_steps
    print(json.dumps({"examples": len(rows), "examples_per_step": per_step, "secs_per_step": secs / asked.steps}))


if __name__ == "__main__":
    main()
