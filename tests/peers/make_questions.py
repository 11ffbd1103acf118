"""Writes `tests/fixtures/questions.json`: what transformers makes of texts, of pairs and of tagged words for models that
answer with a head, with the tiny tokenizers of `tests/fixtures/tokenizers`.

    python -m venv VENV && VENV/bin/pip install transformers==5.23.0 tokenizers
    VENV/bin/python tests/peers/make_questions.py

Tags are aligned as transformers' own example for token classification does it: the first token of a word has its tag,
all others have none. Byte-level vocabularies are opened with `add_prefix_space`, which that example asks for; Qwen2's, which puts that space
before each piece of a word too, is left out there.
"""

import json
from pathlib import Path

from transformers import AutoTokenizer

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures"
FOLDERS = ["bert", "bert_accents", "distilbert_cased", "gpt2", "qwen2", "roberta", "roberta_prefix"]
BYTE_LEVEL = {"gpt2", "qwen2", "roberta", "roberta_prefix"}

TEXTS = ["the lighthouse keeper", "Grüße aus Köln: naïve cafés!", "read and read again " * 12]
PAIRS = [
    ("the lamp", "was lit by the keeper"),
    ("weather, water, waterfall; light, lighter " * 3, "short"),
    ("short", "weather, water, waterfall; light, lighter " * 3),
    ("a few lines of text " * 4, "the keeper's lamp again " * 4),
]
SENTENCES = [
    (["Ada", "went", "to", "Köln", "."], [0, 4, 4, 2, 4]),
    (["unbelievably", "lighterhouses", ",", "U.S.", "don't", "\u200d", "☕"], [4, 1, 4, 2, 4, 4, 3]),
    (["water"] * 40, [n % 5 for n in range(40)]),
]
LONGEST = [24, 512]


def tagged(tokenizer, words: list[str], tags: list[int], longest: int) -> dict:
    made = tokenizer(words, is_split_into_words=True, truncation=True, max_length=longest)
    labels, before = [], None
    for word in made.word_ids():
        labels.append(None if word is None or word == before else tags[word])
        before = word
    return {"words": words, "tags": tags, "longest": longest, "ids": made["input_ids"], "labels": labels}


def of(folder: str) -> dict:
    path = FIXTURES / "tokenizers" / folder
    plain = AutoTokenizer.from_pretrained(path)
    spaced = AutoTokenizer.from_pretrained(path, add_prefix_space=True) if folder in BYTE_LEVEL else plain
    texts = [
        {"text": text, "longest": n, "ids": plain(text, truncation=True, max_length=n)["input_ids"]}
        for text in TEXTS
        for n in LONGEST
    ]
    pairs = []
    for one, two in PAIRS:
        for n in LONGEST:
            made = plain(one, two, truncation=True, max_length=n, return_token_type_ids=True)
            pairs.append(
                {
                    "text": one,
                    "pair": two,
                    "longest": n,
                    "ids": made["input_ids"],
                    "type_ids": made["token_type_ids"],
                }
            )
    sentences = [tagged(spaced, words, tags, n) for words, tags in SENTENCES for n in LONGEST if folder != "qwen2"]
    return {"texts": texts, "pairs": pairs, "sentences": sentences}


def main() -> None:
    made = {folder: of(folder) for folder in FOLDERS}
    (FIXTURES / "questions.json").write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
