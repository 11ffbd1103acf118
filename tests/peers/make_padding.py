"""Writes `tests/fixtures/heads/padding.json`: what transformers' decoders with heads say of texts in which the padding
token itself stands: behind the last word, between words, and nowhere else.

    python -m venv VENV && VENV/bin/pip install torch transformers==5.23.0
    VENV/bin/python tests/peers/make_padding.py
"""

import json
from pathlib import Path

import torch
from transformers import AutoModelForSequenceClassification

HEADS = Path(__file__).resolve().parents[2] / "tests" / "fixtures" / "heads"
PAD = 0
TEXTS = [
    [17, 42, 99, 23],
    [17, 42, 99, 23, PAD],
    [17, 42, 99, 23, PAD, PAD, PAD],
    [PAD, 17, 42, PAD, 99, 23],
    [PAD, PAD],
    [7, PAD],
]


@torch.no_grad()
def main() -> None:
    said = {}
    for name in ["gpt2_cls", "llama_cls"]:
        model = AutoModelForSequenceClassification.from_pretrained(HEADS / name, dtype=torch.float32).eval()
        assert model.config.pad_token_id == PAD
        logits = [
            model(input_ids=torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long)).logits[0]
            for ids in TEXTS
        ]
        said[name] = [row.tolist() for row in logits]
    (HEADS / "padding.json").write_text(json.dumps({"texts": TEXTS, "logits": said}) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
