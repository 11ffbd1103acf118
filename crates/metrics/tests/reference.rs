//! The numbers that sacrebleu, rouge-score, scikit-learn, seqeval and scipy give, on cases recorded with them.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

use metrics::{
    Averages, Bleu, Case, Chrf, Confusion, EntityCounts, Orders, Prf, Reading, Rouge, RougeScores, Stemming,
    mean_squared_error, pearson, spearman,
};
use serde_json::Value;
use testkit::{json, numbers};

fn cases() -> Value {
    json("metrics.json")
}

fn strings(json: &Value) -> Vec<String> {
    json.as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}

fn rows(json: &Value) -> Vec<Vec<String>> {
    json.as_array().unwrap().iter().map(strings).collect()
}

fn classes(json: &Value) -> Vec<usize> {
    numbers(json).into_iter().map(|class| class as usize).collect()
}

#[track_caller]
fn assert_close(found: f64, expected: &Value) {
    let expected = expected.as_f64().unwrap();
    assert!((found - expected).abs() <= 1e-10 * expected.abs().max(1.0), "{found} instead of {expected}");
}

#[track_caller]
fn assert_prf(found: Prf, expected: &Value) {
    let names = ["precision", "recall", "f1"];
    for (at, (found, name)) in [found.precision, found.recall, found.f1].into_iter().zip(names).enumerate() {
        let named = expected.get(name).or(expected.get("f1-score"));
        assert_close(found, named.unwrap_or_else(|| &expected[at]));
    }
}

#[track_caller]
fn assert_averages(found: Averages, expected: &Value) {
    assert_prf(found.micro, &expected["micro avg"]);
    assert_prf(found.macro_, &expected["macro avg"]);
    assert_prf(found.weighted, &expected["weighted avg"]);
}

#[test]
fn bleu_is_that_of_sacrebleu() {
    let cases = cases();
    let hypotheses = strings(&cases["hypotheses"]);
    let one: Vec<_> = strings(&cases["references"]).into_iter().map(|reference| vec![reference]).collect();
    let two: Vec<_> = strings(&cases["references2"]);
    let two: Vec<_> = one.iter().zip(two).map(|(one, two)| vec![one[0].clone(), two]).collect();

    let corpus = Bleu::default().corpus(&hypotheses, &one).unwrap();
    let expected = &cases["bleu"];
    assert_close(corpus.score, &expected["score"]);
    assert_close(corpus.brevity_penalty, &expected["bp"]);
    assert_eq!(Some(corpus.hypothesis_len), expected["sys_len"].as_u64());
    assert_eq!(Some(corpus.reference_len), expected["ref_len"].as_u64());
    assert_eq!(Some(corpus.signature.as_str()), expected["signature"].as_str());
    for (n, precision) in corpus.precisions.iter().enumerate() {
        assert_close(*precision, &expected["precisions"][n]);
    }

    let several = Bleu::default().corpus(&hypotheses, &two).unwrap();
    assert_close(several.score, &cases["bleu_two_refs"]["score"]);
    assert_close(several.brevity_penalty, &cases["bleu_two_refs"]["bp"]);
    let lower = Bleu { case: Case::Lower, ..Bleu::default() }.corpus(&hypotheses, &one).unwrap();
    assert_close(lower.score, &cases["bleu_lowercase"]);

    let sentence = Bleu { orders: Orders::Effective, ..Bleu::default() };
    for (row, counts) in sentence.rows(&hypotheses, &one).unwrap().into_iter().enumerate() {
        assert_close(sentence.score([counts]).score, &cases["sentence_bleu"][row]);
    }
}

#[test]
fn chrf_is_that_of_sacrebleu() {
    let cases = cases();
    let hypotheses = strings(&cases["hypotheses"]);
    let references: Vec<_> =
        strings(&cases["references"]).into_iter().map(|reference| vec![reference]).collect();
    let plain = Chrf::default().corpus(&hypotheses, &references).unwrap();
    assert_close(plain.score, &cases["chrf"]["score"]);
    assert_eq!(Some(plain.signature.as_str()), cases["chrf"]["signature"].as_str());
    assert_close(Chrf::PLUS_PLUS.corpus(&hypotheses, &references).unwrap().score, &cases["chrf++"]);
}

#[track_caller]
fn assert_rouge(found: RougeScores, expected: &Value) {
    for (name, found) in [
        ("rouge1", found.rouge1),
        ("rouge2", found.rouge2),
        ("rougeL", found.rouge_l),
        ("rougeLsum", found.rouge_lsum),
    ] {
        if let Some(expected) = expected.get(name) {
            assert_prf(found, expected);
        }
    }
}

#[test]
fn rouge_is_that_of_rouge_score() {
    let cases = cases();
    let (hypotheses, references) = (strings(&cases["hypotheses"]), strings(&cases["references"]));
    for (name, stemming) in [("rouge_stemmer_False", Stemming::Off), ("rouge_stemmer_True", Stemming::Porter)]
    {
        let rouge = Rouge { stemming };
        let pairs = hypotheses.iter().zip(&references);
        let scores: Vec<RougeScores> = pairs.map(|(h, r)| rouge.score(h, r)).collect();
        for (row, score) in scores.iter().enumerate() {
            assert_rouge(*score, &cases[name]["rows"][row]);
        }
        assert_rouge(RougeScores::mean(&scores), &cases[name]["mean"]);
    }
    let lines = &cases["rouge_multiline"];
    for (row, (h, r)) in strings(&lines["h"]).iter().zip(strings(&lines["r"])).enumerate() {
        assert_rouge(Rouge::default().score(h, &r), &lines["rows"][row]);
    }
}

#[test]
fn classification_is_that_of_scikit_learn() {
    let expected = &cases()["classification"];
    let confusion = Confusion::count(&classes(&expected["p"]), &classes(&expected["y"]), 6).unwrap();
    assert_close(confusion.accuracy(), &expected["accuracy"]);
    assert_close(confusion.balanced_accuracy(), &expected["balanced_accuracy"]);
    assert_close(confusion.matthews(), &expected["mcc"]);
    assert_close(confusion.kappa().unwrap(), &expected["kappa"]);
    let averages = confusion.averages();
    assert_close(averages.micro.f1, &expected["micro_f1"]);
    assert_close(averages.macro_.f1, &expected["macro_f1"]);
    assert_close(averages.weighted.f1, &expected["weighted_f1"]);
    assert_eq!(serde_json::to_value(confusion.matrix()).unwrap(), expected["confusion"]);
    for (class, counts) in confusion.per_class().into_iter().enumerate() {
        let of = |name: &str| &expected["per_class"][name][class];
        assert_close(counts.prf().precision, of("precision"));
        assert_close(counts.prf().recall, of("recall"));
        assert_close(counts.prf().f1, of("f1"));
        assert_eq!(Some(counts.actual), of("support").as_u64());
    }
}

#[test]
fn entities_are_those_of_seqeval() {
    let expected = &cases()["seqeval"];
    let (predicted, actual) = (rows(&expected["p"]), rows(&expected["y"]));
    let lenient = EntityCounts::count(&predicted, &actual, Reading::Lenient).unwrap();
    let report = &expected["default"]["report"];
    assert_prf(lenient.overall(), &expected["default"]);
    assert_averages(lenient.averages(), report);
    for (kind, counts) in lenient.per_kind() {
        assert_prf(counts.prf(), &report[kind]);
        assert_eq!(Some(counts.actual), report[kind]["support"].as_u64());
    }
    let strict = EntityCounts::count(&predicted, &actual, Reading::StrictIob2).unwrap();
    assert_prf(strict.overall(), &expected["strict_iob2"]);
}

#[test]
fn numbers_are_those_of_scipy_and_scikit_learn() {
    let expected = &cases()["regression"];
    let (predicted, actual) = (numbers(&expected["p"]), numbers(&expected["y"]));
    assert_close(pearson(&predicted, &actual).unwrap(), &expected["pearson"]);
    assert_close(spearman(&predicted, &actual).unwrap(), &expected["spearman"]);
    assert_close(mean_squared_error(&predicted, &actual).unwrap(), &expected["mse"]);
}
