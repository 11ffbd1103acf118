"""Makes tests/fixtures/seq2seq.json and tests/fixtures/tiny/t5_untied with transformers (pip install torch transformers).

What generation says of the tiny T5s, with several beams and penalties; which bucket each distance falls into; and a tiny
T5 whose output projection is its own, whose encoder is deeper than its decoder and whose heads are wider together than
the model.
"""

import json
import shutil
import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, T5Config, T5ForConditionalGeneration
from transformers.models.t5.modeling_t5 import T5Attention

FIXTURES = Path(__file__).parent.parent / "fixtures"
TINY = FIXTURES / "tiny"
torch.manual_seed(7)


def rounded(tensor):
    return [float(f"{x:.9g}") for x in tensor.detach().double().flatten().tolist()]


def batches(n, vocab):
    """As the other tiny references have them: two rows, the second padded on the right."""
    ids = torch.randint(3, vocab, (n, 2, 20))
    labels = torch.randint(3, vocab, (n, 2, 12))
    mask = torch.ones_like(ids)
    mask[:, 1, 15:] = 0
    ids[mask == 0] = 0
    labels[:, 0, -1] = 1
    labels[:, 1, 9:] = -100
    return [
        {"input_ids": i.tolist(), "attention_mask": m.tolist(), "labels": l.tolist()}
        for i, m, l in zip(ids, mask, labels)
    ]


def tensors(batch):
    return {name: torch.tensor(value) for name, value in batch.items()}


def untied():
    folder = TINY / "t5_untied"
    shutil.rmtree(folder, ignore_errors=True)
    config = T5Config(
        vocab_size=160, d_model=32, d_kv=12, d_ff=48, num_layers=3, num_decoder_layers=2, num_heads=4,
        relative_attention_num_buckets=8, relative_attention_max_distance=16, dropout_rate=0.0,
        feed_forward_proj="gated-gelu", tie_word_embeddings=False, decoder_start_token_id=0,
    )
    model = T5ForConditionalGeneration(config).eval()
    model.lm_head.weight = torch.nn.Parameter(torch.randn(160, 32) * 0.3)
    for name, weight in model.named_parameters():
        if "layer_norm" in name:
            weight.data += torch.randn_like(weight) * 0.1
    folder.mkdir()
    state = {name: tensor.detach().clone().contiguous() for name, tensor in model.state_dict().items()}
    for tied in ("encoder.embed_tokens.weight", "decoder.embed_tokens.weight"):
        del state[tied]
    from safetensors.torch import save_file

    save_file(state, folder / "model.safetensors", {"format": "pt"})
    # As transformers 4 wrote it, and as FLAN-T5 has it.
    saved = {k: v for k, v in config.to_dict().items() if v is not None and k != "scale_decoder_outputs"}
    saved |= {"tie_word_embeddings": False, "architectures": ["T5ForConditionalGeneration"]}
    (folder / "config.json").write_text(json.dumps(saved, indent=2, sort_keys=True) + "\n")
    model = T5ForConditionalGeneration.from_pretrained(folder).eval()
    assert model.lm_head.weight.data_ptr() != model.shared.weight.data_ptr(), "the head is its own"

    all_batches = batches(6, 160)
    out = model(**tensors(all_batches[0]))
    out.loss.backward()
    said = {
        "batches": all_batches,
        "loss": float(out.loss.detach()),
        "logits_row0_last": rounded(out.logits[0, -1]),
        "logits_row1": rounded(out.logits[1, 3]),
        "grad_norms": {name: float(weight.grad.norm()) for name, weight in model.named_parameters()},
    }
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.0)
    losses = []
    for batch in all_batches:
        optimizer.zero_grad()
        loss = model(**tensors(batch)).loss
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    said["full_ft_adamw_lr1e-3_losses"] = losses
    model = T5ForConditionalGeneration.from_pretrained(folder).eval()
    prompt = torch.tensor([all_batches[0]["input_ids"][0][:8]])
    said["prompt"] = prompt.tolist()
    said["greedy"] = model.generate(prompt, max_new_tokens=10, do_sample=False)[0].tolist()
    (folder / "expected.json").write_text(json.dumps(said) + "\n")


def buckets():
    cases = []
    for bidirectional in (True, False):
        for num_buckets, max_distance in ((32, 128), (8, 16), (10, 100), (32, 40)):
            distances = torch.arange(-400, 401)
            found = T5Attention._relative_position_bucket(distances, bidirectional, num_buckets, max_distance)
            cases.append({
                "bidirectional": bidirectional, "num_buckets": num_buckets, "max_distance": max_distance,
                "from": -400, "buckets": found.tolist(),
            })
    return cases


SEARCHES = [
    {"num_beams": 4},
    {"num_beams": 2, "length_penalty": 0.0},
    {"num_beams": 4, "length_penalty": 2.0},
    {"num_beams": 3, "length_penalty": -1.0},
    {"num_beams": 5, "early_stopping": True},
    {"num_beams": 3, "early_stopping": True, "length_penalty": 0.5},
    {"num_beams": 4, "early_stopping": "never"},
    {"num_beams": 4, "early_stopping": "never", "length_penalty": 0.0},
    {"num_beams": 4, "early_stopping": "never", "length_penalty": -0.5},
    {"num_beams": 4, "no_repeat_ngram_size": 2},
    {"num_beams": 3, "no_repeat_ngram_size": 1, "length_penalty": 1.5},
]


def searches(family, model, prompts, ends, is_decoder):
    cases = []
    for prompt, end in zip(prompts, ends):
        for search in SEARCHES:
            ids = torch.tensor([prompt])
            out = model.generate(
                ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=14, eos_token_id=end,
                pad_token_id=0, num_return_sequences=search["num_beams"], return_dict_in_generate=True,
                output_scores=True, **search,
            )
            before = len(prompt) if is_decoder else 1
            lines = []
            for line, score in zip(out.sequences, out.sequences_scores):
                line = line[before:].tolist()
                stops = [i for i, id in enumerate(line) if id in end]
                lines.append({"ids": line[: stops[0] + 1] if stops else line, "score": float(score)})
            cases.append({"model": family, "prompt": prompt, "ends": end, "max_new_tokens": 14, **search,
                          "lines": lines})
    return cases


def main():
    untied()
    found = []
    for family in ("t5_v1_0", "t5_v1_1", "t5_untied"):
        model = T5ForConditionalGeneration.from_pretrained(TINY / family).eval()
        prompts = [torch.randint(3, 160, (n,)).tolist() for n in (8, 15, 5)]
        # Besides T5's own end, tokens that these models like to write, so that lines do end.
        liked = model.generate(torch.tensor([prompts[0]]), max_new_tokens=10, num_beams=4, num_return_sequences=4,
                               do_sample=False)
        often = torch.bincount(liked[:, 1:].flatten(), minlength=160).argsort(descending=True).tolist()
        found += searches(family, model, prompts, [[1], [often[0], often[3]], [often[2]]], False)
    for family in ("llama_tied", "gpt2", "gemma2"):
        model = AutoModelForCausalLM.from_pretrained(TINY / family).eval()
        prompts = [torch.randint(3, 160, (n,)).tolist() for n in (9, 3)]
        liked = model.generate(torch.tensor(prompts[:1]), max_new_tokens=10, num_beams=4, num_return_sequences=4,
                               do_sample=False)
        often = torch.bincount(liked[:, 9:].flatten(), minlength=160).argsort(descending=True).tolist()
        found += searches(family, model, prompts, [[often[1]], [often[2], often[3]]], True)
    ended = sum(any(line["ids"][-1] in case["ends"] for line in case["lines"]) for case in found)
    print(f"{len(found)} searches, {ended} with a line that ends", file=sys.stderr)
    cases = ",\n".join(json.dumps(case) for case in found)
    kinds = ",\n".join(json.dumps(case) for case in buckets())
    (FIXTURES / "seq2seq.json").write_text(f'{{"searches": [\n{cases}\n],\n"buckets": [\n{kinds}\n]}}\n')


main()
