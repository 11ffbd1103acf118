"""Writes `tests/fixtures/tokenizers`: tiny tokenizers in the files that were usual before `tokenizer.json`, and what
transformers makes of texts with them. Also the seeds of the fuzz target `sentencepiece`.

    python -m venv VENV && VENV/bin/pip install transformers==5.23.0 tokenizers sentencepiece protobuf
    VENV/bin/python tests/peers/make_older_tokenizers.py

The vocabularies are learned from the lines below, so the same packages write the same files. Each folder holds a
`config.json`, its vocabulary and `expected.json`: texts, their ids, and the text those become again.
"""

import contextlib
import io
import json
import shutil
import tempfile
from collections import Counter
from pathlib import Path

import sentencepiece
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import AutoTokenizer

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "tests" / "fixtures" / "tokenizers"
SEEDS = ROOT / "fuzz" / "seeds" / "sentencepiece"

LINES = [
    "The lighthouse keeper climbed the stairs, lit the lamp, and wrote the weather in a book.",
    "A small model learns from a few lines of text; the lines are read again and again.",
    "Grüße aus Köln: naïve cafés, 3.14 and 42 numbers, and the keeper's lamp.",
    "weather, water, waterfall; light, lighter, lighthouse; read, reader, reading",
    "def keep(lamp):\n    return lamp + 1",
] * 4

TEXTS = [
    "",
    "the lighthouse",
    " the lighthouse  keeper ",
    "The Keeper's lamp, lit again!",
    "Grüße aus Köln: naïve cafés ÀÉ",
    "def keep(lamp):\n\treturn lamp + 1\n\n",
    "数字 3,14159… ☕ \u200d and\u00a0more",
    "unbelievably lighterhouses",
    "<s>read</s> <pad> <unk> [CLS] water [SEP] [MASK] <mask> <|endoftext|>",
    "the<sep>lamp <extra_id_0> and <extra_id_1> <bos><eos>",
    "A\u0301 ﬁne \uff21\uff22 ½ line\u2028end\r\n",
    "    four spaces",
]


def word_piece(lower: bool) -> dict[str, bytes]:
    """Characters, whole words and ends of words; the package's own trainer breaks ties as it happens to."""
    normalizer, cut = normalizers.BertNormalizer(lowercase=lower), pre_tokenizers.BertPreTokenizer()
    words = Counter(word for line in LINES for word, _ in cut.pre_tokenize_str(normalizer.normalize_str(line)))
    letters = sorted({letter for word in words for letter in word})
    ends = sorted({word[-n:] for word in words for n in (2, 3) if len(word) > n + 2})
    frequent = [word for word, n in sorted(words.items()) if n > len(LINES) // 5]
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{end}" for end in letters + ends), *frequent]
    return {"vocab.txt": "".join(f"{token}\n" for token in dict.fromkeys(tokens)).encode()}


def byte_level(special: list[str]) -> dict[str, bytes]:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=340, special_tokens=special, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(LINES, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    merges = "#version: 0.2\n" + "".join(f"{one} {two}\n" for one, two in model["merges"])
    return {"vocab.json": json.dumps(model["vocab"], ensure_ascii=False).encode(), "merges.txt": merges.encode()}


def sentence_piece(**how: object) -> bytes:
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(LINES), model_writer=out, minloglevel=2, hard_vocab_limit=False, num_threads=1, **how
    )
    return out.getvalue()


def byte_pair(**how: object) -> bytes:
    return sentence_piece(
        model_type="bpe", vocab_size=360, byte_fallback=True, normalization_rule_name="identity",
        remove_extra_whitespaces=False, **how,
    )


def unigram() -> bytes:
    # A map of characters of our own: the usual ones are a hundred times as large as the rest of the file.
    rules = {"ﬁ": "fi", "½": "1⁄2", "\uff21": "A", "\uff22": "B", "A\u0301": "Á", "…": "...", "\u200d": "", "\t": " ", "\n": " "}
    code = lambda text: " ".join(f"{ord(c):X}" for c in text)
    with tempfile.TemporaryDirectory() as folder:
        tsv = "".join(f"{code(a)}\t{code(b)}\n" for a, b in rules.items())
        Path(folder, "rules.tsv").write_text(tsv, encoding="utf-8")
        # The model keeps the path as it was given.
        with contextlib.chdir(folder):
            return sentence_piece(
                model_type="unigram", vocab_size=150, normalization_rule_tsv="rules.tsv",
                pad_id=0, eos_id=1, unk_id=2, bos_id=-1,
            )


def folders() -> dict[str, tuple[dict[str, bytes], str, dict | None]]:
    """Files, the model's type, and `tokenizer_config.json` if there is one."""
    roberta = byte_level(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    gpt2 = byte_level(["<|endoftext|>"])
    llama = {"tokenizer.model": byte_pair(user_defined_symbols=["<sep>"])}
    gemma = {
        "tokenizer.model": byte_pair(
            pad_id=0, eos_id=1, bos_id=2, unk_id=3, bos_piece="<bos>", eos_piece="<eos>",
            control_symbols=["<start_of_turn>"], add_dummy_prefix=False,
        )
    }
    t5 = {"spiece.model": unigram()}
    added = {"2": {"content": "</s>", "rstrip": True, "special": True}, "360": {"content": "<|end|>", "special": True}}
    return {
        "bert": (word_piece(lower=True), "bert", None),
        "distilbert_cased": (word_piece(lower=False), "distilbert", {"do_lower_case": False}),
        "bert_accents": (
            word_piece(lower=True), "bert",
            {"tokenizer_class": "BertTokenizer", "strip_accents": False, "tokenize_chinese_chars": False},
        ),
        "gpt2": (gpt2, "gpt2", None),
        "gpt2_asked": (
            gpt2, "gpt2", {"add_prefix_space": True, "add_bos_token": True, "pad_token": "<pad>"},
        ),
        "roberta": (roberta, "roberta", None),
        "roberta_prefix": (
            roberta, "roberta", {"tokenizer_class": "RobertaTokenizer", "add_prefix_space": True,
                                 "mask_token": {"__type": "AddedToken", "content": "<mask>", "lstrip": True, "special": True}},
        ),
        "qwen2": (gpt2, "qwen2", {"tokenizer_class": "Qwen2Tokenizer", "bos_token": None}),
        "llama": (llama, "llama", {"tokenizer_class": "LlamaTokenizer", "add_bos_token": True, "added_tokens_decoder": added}),
        "llama_legacy": (
            llama, "llama",
            {"tokenizer_class": "LlamaTokenizerFast", "legacy": True, "add_bos_token": True, "add_eos_token": True,
             "pad_token": "<pad>"},
        ),
        "gemma": (gemma, "gemma2", {"tokenizer_class": "GemmaTokenizer", "add_bos_token": True}),
        "t5": (t5, "t5", None),
        "t5_few": (t5, "t5", {"tokenizer_class": "T5Tokenizer", "extra_ids": 3}),
    }


def by_line(expected: dict) -> str:
    """JSON with a line for each text."""
    line = lambda value: json.dumps(value, ensure_ascii=False)
    said = [f"{line(key)}: {line(value)}" for key, value in expected.items() if key != "texts"]
    texts = ",\n".join(map(line, expected["texts"]))
    return "{" + ",\n".join(said) + f',\n"texts": [\n{texts}\n]}}\n'


def main() -> None:
    shutil.rmtree(OUT, ignore_errors=True)
    shutil.rmtree(SEEDS, ignore_errors=True)
    SEEDS.mkdir(parents=True)
    for name, (files, model_type, config) in folders().items():
        folder = OUT / name
        folder.mkdir(parents=True)
        for file, content in files.items():
            (folder / file).write_bytes(content)
        (folder / "config.json").write_text(json.dumps({"model_type": model_type}) + "\n")
        if config is not None:
            (folder / "tokenizer_config.json").write_text(json.dumps(config) + "\n", encoding="utf-8")
        tokenizer = AutoTokenizer.from_pretrained(folder)
        ids = [tokenizer(text)["input_ids"] for text in TEXTS]
        expected = {
            "class": type(tokenizer).__name__,
            "vocab_size": len(tokenizer),
            "bos": tokenizer.bos_token, "eos": tokenizer.eos_token,
            "pad": tokenizer.pad_token, "unk": tokenizer.unk_token,
            "texts": [
                {"text": text, "ids": one, "decoded": tokenizer.decode(one)} for text, one in zip(TEXTS, ids)
            ],
        }
        (folder / "expected.json").write_text(by_line(expected), encoding="utf-8")
        print(name, expected["class"], expected["vocab_size"])
    for seed, folder, file in [("llama", "llama", "tokenizer.model"), ("t5", "t5", "spiece.model")]:
        shutil.copy(OUT / folder / file, SEEDS / seed)


if __name__ == "__main__":
    main()
