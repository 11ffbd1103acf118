"""Holds crate `metrics` to the packages whose numbers it promises, on random cases.

    python -m venv VENV && VENV/bin/pip install sacrebleu==2.6.0 rouge-score seqeval scikit-learn scipy
    cargo build -p metrics --example metric_answers
    VENV/bin/python tests/peers/check_metrics.py TARGET/debug/examples/metric_answers [--cases 300] [--seed 0]

Texts are drawn from words, marks, entities and characters that are treated unlike each other by different
implementations; classes, tags and numbers from small sets, so that ties, empty classes and divisions by zero are
common. Intervals are drawn by another generator here than there, so they are only held to be near. Prints the largest
difference of each metric and fails above `MOST`.
"""

import argparse
import json
import math
import random
import re
import string
import subprocess
import sys
import warnings
from collections import Counter, defaultdict

import numpy as np
import sacrebleu
from nltk.stem.porter import PorterStemmer
from rouge_score.rouge_scorer import RougeScorer
from scipy import stats
from seqeval.metrics.sequence_labeling import get_entities, precision_recall_fscore_support as entity_scores
from seqeval.metrics.v1 import precision_recall_fscore_support as strict_scores
from seqeval.scheme import IOB2
from sklearn import metrics as sk

MOST = 1e-12
NEAR = 0.15  # of the width of an interval that another generator drew

WORDS = (
    "the a an cat cats caresses ponies dying skies sky flying relational hopping running national generally analogously "
    "3.14 1,000 10-20 x-y don't it's U.S. e.g. Straße GROSS İstanbul ΣΟΦΟΣ naïve日本 日本語 ﬁne ½ ² Ⅷ Ⓐ नमस्ते مرحبا ٣ "
    "( ) (hi) [x] {y} . , ... - -- ! ? \" ' & &amp; &quot;q&quot; &lt;b&gt; <skipped> / \\ | ~ ` ^ _ * + = % $ # @ "
    "fulfillment theology geology archaeology agreed feed controlled radically possibly hopefully sensibly yyyy by"
).split(" ")
GAPS = [" "] * 12 + ["a ", " an", "  ", "\t", "\n", "-\n", "\u00a0", "\u0085", "\u2028", "\x1c", "\x1f", "", ""]


class Differences:
    """The largest difference of each metric, and the case that had it."""

    def __init__(self) -> None:
        self.worst: dict[str, tuple[float, object]] = defaultdict(lambda: (0.0, None))
        self.n: Counter = Counter()

    def compare(self, name: str, found: object, expected: object, case: object) -> None:
        self.n[name] += 1
        difference = distance(found, expected)
        if difference > self.worst[name][0]:
            self.worst[name] = (difference, {"case": case, "found": found, "expected": expected})

    def report(self) -> bool:
        good = True
        for name, n in self.n.items():
            difference, case = self.worst[name]
            good &= difference <= MOST
            print(f"{name:12} {n:6} cases, largest difference {difference:.1e}")
            if difference > MOST:
                print("   ", json.dumps(case, ensure_ascii=True, default=str)[:2000])
        return good


def distance(found: object, expected: object) -> float:
    if isinstance(expected, dict):
        return max((distance(found.get(k), v) for k, v in expected.items()), default=0.0) if set(found) == set(expected) else math.inf
    if isinstance(expected, (list, tuple, np.ndarray)):
        return max(map(distance, found, expected), default=0.0) if len(found) == len(expected) else math.inf
    if expected is None or isinstance(expected, (str, bool)):
        return 0.0 if found == expected else math.inf
    if math.isnan(expected):
        return 0.0 if found is None else math.inf
    return abs(found - expected) / max(1.0, abs(expected)) if found is not None else math.inf


def text(rng: random.Random, most: int = 14) -> str:
    words = [rng.choice(WORDS) for _ in range(rng.randint(0, most))]
    return "".join(word + rng.choice(GAPS) for word in words)


def altered(rng: random.Random, words: str) -> str:
    """Another text, but mostly one that shares something with this one."""
    if rng.random() < 0.2:
        return text(rng)
    kept = [w for w in re.split("( )", words) if rng.random() < 0.8]
    if rng.random() < 0.3:
        rng.shuffle(kept)
    return "".join(kept) + (" " + text(rng, 3) if rng.random() < 0.5 else "")


def classes(rng: random.Random) -> tuple[dict, object]:
    n_classes = rng.randint(1, 6)
    n = rng.randint(1, 25)
    draw = lambda: [rng.randrange(n_classes) for _ in range(n)]
    predicted, actual = draw(), draw()
    if rng.random() < 0.3:
        predicted = [a if rng.random() < 0.8 else p for p, a in zip(predicted, actual)]
    case = {"predicted": predicted, "actual": actual, "n_classes": n_classes}
    return case, {
        "accuracy": sk.accuracy_score(actual, predicted),
        "balanced": sk.balanced_accuracy_score(actual, predicted),
        "matthews": sk.matthews_corrcoef(actual, predicted),
        "kappa": sk.cohen_kappa_score(actual, predicted),
        "averages": [
            list(sk.precision_recall_fscore_support(actual, predicted, average=average, zero_division=0)[:3])
            for average in ("micro", "macro", "weighted")
        ],
        "matrix": sk.confusion_matrix(actual, predicted, labels=range(n_classes)).tolist(),
    }


def label_sets(rng: random.Random) -> tuple[dict, object]:
    n_classes, n = rng.randint(2, 6), rng.randint(1, 15)
    draw = lambda: [[c for c in range(n_classes) if rng.random() < 0.3] for _ in range(n)]
    predicted, actual = draw(), draw()
    matrix = lambda rows: np.array([[int(c in row) for c in range(n_classes)] for row in rows])
    p, a = matrix(predicted), matrix(actual)
    return {"predicted": predicted, "actual": actual, "n_classes": n_classes}, {
        "accuracy": sk.accuracy_score(a, p),
        "averages": [
            list(sk.precision_recall_fscore_support(a, p, average=average, zero_division=0)[:3])
            for average in ("micro", "macro", "weighted")
        ],
    }


def entities(rng: random.Random) -> tuple[dict, object]:
    strict = rng.random() < 0.4
    letters = rng.choice(["BIO"] if strict else ["BIO", "IO", "BIOES", "BIOESLU."])
    # A letter that no scheme has and no type: seqeval goes back to where some entity of another row began.
    kinds = rng.choice([["X", "Y"], ["PER", "LOC", "A-B"]] + [["X", ""]] * ("U" not in letters))

    def tag() -> str:
        letter, kind = rng.choice(letters + "O"), rng.choice(kinds)
        return letter if letter in "O." or not kind else f"{letter}-{kind}"

    lengths = [rng.randint(0, 9) for _ in range(rng.randint(1, 5))]
    actual = [[tag() for _ in range(n)] for n in lengths]
    predicted = [[t if rng.random() < 0.6 else tag() for t in row] for row in actual]
    case = {"predicted": predicted, "actual": actual, "strict": strict}
    score = (lambda **kw: strict_scores(actual, predicted, scheme=IOB2, **kw)) if strict else (
        lambda **kw: entity_scores(actual, predicted, **kw)
    )
    averages = [list(score(average=average)[:3]) for average in ("micro", "macro", "weighted")]
    if math.isnan(averages[1][0]):
        averages[1] = [0.0] * 3  # no type at all: zeros instead of numpy's mean of nothing
    if strict:
        return case, {"averages": averages, "kinds": None}
    kinds_found = sorted({kind for rows in (actual, predicted) for kind, _, _ in get_entities(rows)})
    each = zip(*score(average=None)[:3]) if kinds_found else []
    return case, {"averages": averages, "kinds": {k: list(map(float, one)) for k, one in zip(kinds_found, each)}}


def corpus(rng: random.Random) -> tuple[list[str], list[list[str]]]:
    n, n_references = rng.randint(1, 6), rng.choice([1, 1, 2, 3])
    references = [[text(rng)] for _ in range(n)]
    for row in references:
        row += [altered(rng, row[0]) for _ in range(n_references - 1)]
    return [altered(rng, row[0]) for row in references], references


def bleu(rng: random.Random) -> tuple[dict, object]:
    hypotheses, references = corpus(rng)
    lower, effective = rng.random() < 0.3, rng.random() < 0.4
    metric = sacrebleu.BLEU(lowercase=lower, effective_order=effective, force=True)
    score = metric.corpus_score(hypotheses, [list(column) for column in zip(*references)])
    case = {"hypotheses": hypotheses, "references": references, "lower": lower, "effective": effective}
    return case, {
        "score": score.score,
        "precisions": score.precisions,
        "brevity_penalty": score.bp,
        "lengths": [score.sys_len, score.ref_len],
        "signature": str(metric.get_signature()),
    }


def chrf(rng: random.Random) -> tuple[dict, object]:
    hypotheses, references = corpus(rng)
    lower, words = rng.random() < 0.3, rng.choice([0, 0, 1, 2])
    metric = sacrebleu.CHRF(lowercase=lower, word_order=words)
    score = metric.corpus_score(hypotheses, [list(column) for column in zip(*references)])
    case = {"hypotheses": hypotheses, "references": references, "lower": lower, "words": words}
    return case, {"score": score.score, "signature": str(metric.get_signature())}


def rouge(rng: random.Random) -> tuple[dict, object]:
    hypotheses, references = corpus(rng)
    stemmer, kinds = rng.random() < 0.5, ["rouge1", "rouge2", "rougeL", "rougeLsum"]
    score = RougeScorer(kinds, use_stemmer=stemmer).score_multi(references[0], hypotheses[0])
    case = {"prediction": hypotheses[0], "references": references[0], "stemmer": stemmer}
    return case, [list(map(float, score[kind])) for kind in kinds]


def stems(rng: random.Random) -> tuple[dict, object]:
    """Many words of many endings: one that the stemmers take apart differently is not found again."""
    start = lambda: "".join(rng.choice("bcdfglmnrstvwxyaeiou") for _ in range(rng.randint(0, 5)))
    ends = (
        "s es ies sses ss ed ied eed ing at bl iz y ational tional enci anci izer abli bli alli entli eli ousli ization "
        "ation ator alism iveness fulness ousness aliti iviti biliti fulli logi icate ative alize iciti ical ful ness "
        "al ance ence er ic able ible ant ement ment ent sion tion ion ou ism ate iti ous ive ize e ll lling tting"
    ).split()
    words = [start() + "".join(rng.choices(ends, k=rng.choice([1, 1, 2]))) for _ in range(40)]
    words = [word for word in words if len(word) > 3]
    stem = PorterStemmer().stem
    score = RougeScorer(["rouge1"], use_stemmer=True).score(" ".join(map(stem, words)), " ".join(words))["rouge1"]
    # What is stemmed twice is not what is stemmed once, so the package is asked about the same pair.
    case = {"metric": "rouge", "prediction": " ".join(words), "references": [" ".join(map(stem, words))], "stemmer": True}
    return case, [list(map(float, score)), None, None, None]


def normalized(answer: str) -> str:
    """As SQuAD's script says it: lower case, no punctuation, no articles, single spaces."""
    bare = "".join(c for c in answer.lower() if c not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", bare).split())


def answers(rng: random.Random) -> tuple[dict, object]:
    golds = [text(rng, 4) for _ in range(rng.randint(1, 3))]
    prediction = altered(rng, golds[0])

    def f1(gold: str) -> float:
        p, g = normalized(prediction).split(), normalized(gold).split()
        if not p or not g:
            return float(p == g)
        same = sum((Counter(p) & Counter(g)).values())
        return 2 * same / (len(p) + len(g))

    case = {"prediction": prediction, "answers": golds}
    exact = any(normalized(prediction) == normalized(gold) for gold in golds)
    return case, {"exact": exact, "f1": max(map(f1, golds))}


def numbers(rng: random.Random) -> tuple[dict, object]:
    n = rng.randint(2, 30)
    # Far from zero only with few digits: the last bit of a number may be lost on its way through JSON.
    far = lambda: 1e6 + rng.randint(-128, 128) / 64
    draw = rng.choice([lambda: rng.gauss(0, 1), lambda: float(rng.randint(-2, 2)), far])
    p, e = [draw() for _ in range(n)], [draw() for _ in range(n)]
    if rng.random() < 0.5:
        p = [x + 0.25 * y for x, y in zip(p, e)]
    return {"predicted": p, "expected": e}, {
        "pearson": stats.pearsonr(p, e).statistic,
        "spearman": stats.spearmanr(p, e).statistic,
        "mse": sk.mean_squared_error(e, p),
        "mae": sk.mean_absolute_error(e, p),
    }


def interval(rng: random.Random) -> tuple[dict, object]:
    values = [rng.gauss(0, 1) for _ in range(rng.randint(20, 60))]
    confidence = rng.choice([0.8, 0.9, 0.95])
    found = stats.bootstrap(
        (values,), np.mean, confidence_level=confidence, n_resamples=4000, method="percentile",
        rng=np.random.default_rng(rng.randrange(1 << 30)),
    ).confidence_interval
    case = {"values": values, "confidence": confidence, "n_resamples": 4000, "seed": rng.randrange(1 << 30)}
    return case, [float(found.low), float(found.high)]


KINDS = {
    "classes": classes, "label_sets": label_sets, "entities": entities, "bleu": bleu, "chrf": chrf,
    "rouge": rouge, "stems": stems, "answers": answers, "numbers": numbers, "interval": interval,
}


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("answers", help="the built example `answers` of crate metrics")
    ask.add_argument("--cases", type=int, default=300, help="of each metric")
    ask.add_argument("--seed", type=int, default=0)
    asked = ask.parse_args()
    warnings.simplefilter("ignore")

    rng = random.Random(asked.seed)
    drawn = []
    for name, make in KINDS.items():
        for _ in range(asked.cases if name != "interval" else min(asked.cases, 50)):
            case, expected = make(rng)
            drawn.append((name, {"metric": name, **case}, expected))
    lines = "".join(json.dumps(case) + "\n" for _, case, _ in drawn)
    out = subprocess.run([asked.answers], input=lines, capture_output=True, text=True, encoding="utf-8")
    found = out.stdout.splitlines()
    if out.returncode or len(found) != len(drawn):
        sys.exit(f"{out.stderr}\nafter {len(found)} of {len(drawn)} cases: {drawn[len(found)][1]}")

    differences = Differences()
    for (name, case, expected), line in zip(drawn, found):
        answer = json.loads(line)
        if name == "entities" and expected["kinds"] is None:
            answer["kinds"] = None
        if name == "stems":
            answer = [answer[0], None, None, None]
        if name == "interval":
            width = expected[1] - expected[0]
            answer = [e if abs(a - e) <= NEAR * width else a for a, e in zip(answer, expected)]
        differences.compare(name, answer, expected, case)
    sys.exit(0 if differences.report() else 1)


if __name__ == "__main__":
    main()
