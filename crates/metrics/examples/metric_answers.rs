//! Scores cases, for `tests/peers/check_metrics.py` to compare with what other packages say of them.
//!
//!     cargo run -p metrics --example metric_answers < CASES > ANSWERS
//!
//! One JSON object a line in both: `{"metric": "...", ...}` in, the numbers of that metric out, `null` for what has
//! none.

use std::{
    error::Error,
    io::{self, BufRead, Write},
};

use metrics::{
    Averages, Bleu, Case, Chrf, Confusion, EntityCounts, LabelSets, Orders, Prf, Reading, Resampling, Rouge,
    Stemming, bootstrap, exact_match, mean_absolute_error, mean_squared_error, pearson, spearman, token_f1,
};
use serde_json::{Value, json};

type Answer = Result<Value, Box<dyn Error>>;

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let case: Value = serde_json::from_str(&line?)?;
        let answer = match case["metric"].as_str().unwrap_or_default() {
            "classes" => classes(&case),
            "label_sets" => label_sets(&case),
            "entities" => entities(&case),
            "bleu" => bleu(&case),
            "chrf" => chrf(&case),
            "rouge" => rouge(&case),
            "answers" => answers(&case),
            "numbers" => numbers(&case),
            "interval" => interval(&case),
            other => Err(format!("no metric {other:?}").into()),
        }?;
        writeln!(out, "{answer}")?;
    }
    Ok(())
}

/// The strings of a list.
fn strings(case: &Value, name: &str) -> Result<Vec<String>, serde_json::Error> {
    serde_json::from_value(case[name].clone())
}

/// The lists of a list.
fn rows(case: &Value, name: &str) -> Result<Vec<Vec<String>>, serde_json::Error> {
    serde_json::from_value(case[name].clone())
}

fn is(case: &Value, name: &str) -> bool {
    case[name].as_bool().unwrap_or_default()
}

fn prf(prf: Prf) -> Value {
    json!([prf.precision, prf.recall, prf.f1])
}

fn averages(averages: Averages) -> Value {
    json!([prf(averages.micro), prf(averages.macro_), prf(averages.weighted)])
}

fn classes(case: &Value) -> Answer {
    let (predicted, actual): (Vec<usize>, Vec<usize>) =
        (serde_json::from_value(case["predicted"].clone())?, serde_json::from_value(case["actual"].clone())?);
    let n_classes: usize = serde_json::from_value(case["n_classes"].clone())?;
    let confusion = Confusion::count(&predicted, &actual, n_classes)?;
    Ok(json!({
        "accuracy": confusion.accuracy(),
        "balanced": confusion.balanced_accuracy(),
        "matthews": confusion.matthews(),
        "kappa": confusion.kappa().ok(),
        "averages": averages(confusion.averages()),
        "matrix": confusion.matrix(),
    }))
}

fn label_sets(case: &Value) -> Answer {
    let (predicted, actual): (Vec<Vec<usize>>, Vec<Vec<usize>>) =
        (serde_json::from_value(case["predicted"].clone())?, serde_json::from_value(case["actual"].clone())?);
    let n_classes: usize = serde_json::from_value(case["n_classes"].clone())?;
    let sets = LabelSets::count(&predicted, &actual, n_classes)?;
    Ok(json!({ "accuracy": sets.subset_accuracy(), "averages": averages(sets.averages()) }))
}

fn entities(case: &Value) -> Answer {
    let reading = if is(case, "strict") { Reading::StrictIob2 } else { Reading::Lenient };
    let counts = EntityCounts::count(&rows(case, "predicted")?, &rows(case, "actual")?, reading)?;
    let kinds = counts.per_kind().iter();
    let kinds: serde_json::Map<_, _> =
        kinds.map(|(kind, counts)| (kind.clone(), prf(counts.prf()))).collect();
    Ok(json!({ "averages": averages(counts.averages()), "kinds": kinds }))
}

fn case_of(case: &Value) -> Case {
    if is(case, "lower") { Case::Lower } else { Case::Mixed }
}

fn bleu(case: &Value) -> Answer {
    let orders = if is(case, "effective") { Orders::Effective } else { Orders::All };
    let bleu = Bleu { case: case_of(case), orders };
    let score = bleu.corpus(&strings(case, "hypotheses")?, &rows(case, "references")?)?;
    Ok(json!({
        "score": score.score,
        "precisions": score.precisions,
        "brevity_penalty": score.brevity_penalty,
        "lengths": [score.hypothesis_len, score.reference_len],
        "signature": score.signature,
    }))
}

fn chrf(case: &Value) -> Answer {
    let words = case["words"].as_u64().unwrap_or_default() as usize;
    let chrf = Chrf { case: case_of(case), words };
    let score = chrf.corpus(&strings(case, "hypotheses")?, &rows(case, "references")?)?;
    Ok(json!({ "score": score.score, "signature": score.signature }))
}

fn rouge(case: &Value) -> Answer {
    let rouge = Rouge { stemming: if is(case, "stemmer") { Stemming::Porter } else { Stemming::Off } };
    let prediction = case["prediction"].as_str().unwrap_or_default();
    let score = rouge.score_multi(prediction, &strings(case, "references")?)?;
    Ok(json!([prf(score.rouge1), prf(score.rouge2), prf(score.rouge_l), prf(score.rouge_lsum)]))
}

fn answers(case: &Value) -> Answer {
    let (prediction, answers) = (case["prediction"].as_str().unwrap_or_default(), strings(case, "answers")?);
    Ok(json!({ "exact": exact_match(prediction, &answers)?, "f1": token_f1(prediction, &answers)? }))
}

fn numbers(case: &Value) -> Answer {
    let (p, e): (Vec<f64>, Vec<f64>) = (
        serde_json::from_value(case["predicted"].clone())?,
        serde_json::from_value(case["expected"].clone())?,
    );
    Ok(json!({
        "pearson": pearson(&p, &e).ok(),
        "spearman": spearman(&p, &e).ok(),
        "mse": mean_squared_error(&p, &e)?,
        "mae": mean_absolute_error(&p, &e)?,
    }))
}

/// The interval of the mean.
fn interval(case: &Value) -> Answer {
    let values: Vec<f64> = serde_json::from_value(case["values"].clone())?;
    let resampling = Resampling {
        n_resamples: serde_json::from_value(case["n_resamples"].clone())?,
        confidence: serde_json::from_value(case["confidence"].clone())?,
        seed: serde_json::from_value(case["seed"].clone())?,
    };
    let mean = |places: &[usize]| Ok(places.iter().map(|at| values[*at]).sum::<f64>() / places.len() as f64);
    let interval = bootstrap(values.len(), resampling, mean)?;
    Ok(json!([interval.low, interval.high]))
}
