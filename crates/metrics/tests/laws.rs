//! What holds for every prediction.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

use std::slice::from_ref;

use metrics::{
    Bleu, Chrf, Confusion, Counts, EntityCounts, LabelSets, Orders, Prf, Reading, Resampling, Rouge,
    Stemming, bootstrap, entities, exact_match, mean_absolute_error, mean_squared_error, pearson, perplexity,
    spearman, token_f1,
};
use proptest::prelude::*;

const N_CLASSES: usize = 4;

fn pairs() -> impl Strategy<Value = (Vec<usize>, Vec<usize>)> {
    prop::collection::vec((0..N_CLASSES, 0..N_CLASSES), 1..60).prop_map(|pairs| pairs.into_iter().unzip())
}

fn numbers() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    let value = || prop_oneof![-1e3..1e3f64, (-3..3i32).prop_map(f64::from)];
    prop::collection::vec((value(), value()), 2..60).prop_map(|pairs| pairs.into_iter().unzip())
}

fn text() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        4 => prop::sample::select(vec!["the", "a", "cat", "cats", "sat", "on", "mats", "running", "3.14", "."]),
        1 => prop::sample::select(vec!["Straße", "日本", "don't", "(x)", "&quot;", "\n", "\u{85}", "İ"]),
    ];
    prop_oneof![
        4 => prop::collection::vec(word, 0..12).prop_map(|words| words.join(" ")),
        1 => any::<String>(),
    ]
}

fn tags() -> impl Strategy<Value = Vec<(String, String)>> {
    let tag = || {
        let letter = prop::sample::select(vec!["B", "I", "O", "E", "S"]);
        let kind = prop::sample::select(vec!["-X", "-Y", ""]);
        (letter, kind)
            .prop_map(|(letter, kind)| if letter == "O" { "O".into() } else { format!("{letter}{kind}") })
    };
    prop::collection::vec((tag(), tag()), 0..20)
}

fn in_bounds(prf: Prf) -> bool {
    let low = prf.precision.min(prf.recall);
    let high = prf.precision.max(prf.recall);
    let part = |value: f64| (0.0..=1.0 + 1e-12).contains(&value);
    part(prf.precision) && part(prf.recall) && prf.f1 <= high + 1e-12 && (low - 1e-12 <= prf.f1 || low == 0.0)
}

fn near(one: f64, two: f64) -> bool {
    (one - two).abs() <= 1e-9 * one.abs().max(two.abs()).max(1.0)
}

proptest! {
    #[test]
    fn classes_have_no_order((predicted, actual) in pairs(), turn in 0..N_CLASSES) {
        let named = Confusion::count(&predicted, &actual, N_CLASSES).unwrap();
        let other = |classes: &[usize]| classes.iter().map(|c| (c + turn) % N_CLASSES).collect::<Vec<_>>();
        let renamed = Confusion::count(&other(&predicted), &other(&actual), N_CLASSES).unwrap();
        prop_assert!(near(named.averages().macro_.f1, renamed.averages().macro_.f1));
        prop_assert!(near(named.averages().weighted.f1, renamed.averages().weighted.f1));
        prop_assert!(near(named.matthews(), renamed.matthews()));
        prop_assert_eq!(named.accuracy(), renamed.accuracy());
    }

    #[test]
    fn of_one_class_per_row_every_micro_average_is_the_accuracy((predicted, actual) in pairs()) {
        let confusion = Confusion::count(&predicted, &actual, N_CLASSES).unwrap();
        let micro = confusion.averages().micro;
        prop_assert!(near(micro.precision, confusion.accuracy()));
        prop_assert!(near(micro.f1, confusion.accuracy()));
        prop_assert!(near(confusion.averages().weighted.recall, confusion.accuracy()));
        prop_assert!(confusion.per_class().into_iter().map(Counts::prf).all(in_bounds));
    }

    #[test]
    fn agreement_is_mutual((predicted, actual) in pairs()) {
        let one = Confusion::count(&predicted, &actual, N_CLASSES).unwrap();
        let other = Confusion::count(&actual, &predicted, N_CLASSES).unwrap();
        prop_assert!(near(one.matthews(), other.matthews()) && one.matthews().abs() <= 1.0 + 1e-12);
        prop_assert!(near(one.averages().macro_.f1, other.averages().macro_.f1));
        prop_assert_eq!(one.kappa().ok(), other.kappa().ok());
        let turned = |matrix: Vec<Vec<u64>>| -> Vec<Vec<u64>> {
            (0..N_CLASSES).map(|column| matrix.iter().map(|row| row[column]).collect()).collect()
        };
        prop_assert_eq!(one.matrix(), turned(other.matrix()));
    }

    #[test]
    fn sets_of_one_are_classes((predicted, actual) in pairs()) {
        let alone = |classes: &[usize]| classes.iter().map(|class| [*class]).collect::<Vec<_>>();
        let sets = LabelSets::count(&alone(&predicted), &alone(&actual), N_CLASSES).unwrap();
        let confusion = Confusion::count(&predicted, &actual, N_CLASSES).unwrap();
        prop_assert_eq!(sets.per_class(), confusion.per_class());
        prop_assert_eq!(sets.subset_accuracy(), confusion.accuracy());
        prop_assert_eq!(sets.averages().weighted, confusion.averages().weighted);
    }

    #[test]
    fn correlation_is_mutual_and_forgets_scale((x, y) in numbers(), scale in 0.1..10.0f64, shift in -10.0..10.0f64) {
        if let (Ok(one), Ok(other)) = (pearson(&x, &y), pearson(&y, &x)) {
            prop_assert!(near(one, other) && one.abs() <= 1.0);
            let moved: Vec<f64> = x.iter().map(|value| value * scale + shift).collect();
            prop_assert!(near(pearson(&moved, &y).unwrap(), one));
            prop_assert!(near(pearson(&x, &x).unwrap(), 1.0));
        }
    }

    #[test]
    fn ranks_forget_everything_but_the_order((x, y) in numbers()) {
        if let Ok(rank) = spearman(&x, &y) {
            let bent: Vec<f64> = x.iter().map(|value| (value / 100.0).exp()).collect();
            let turned: Vec<f64> = x.iter().map(|value| -value).collect();
            prop_assert!(near(spearman(&bent, &y).unwrap(), rank));
            prop_assert!(near(spearman(&turned, &y).unwrap(), -rank));
        }
    }

    #[test]
    fn errors_are_distances((x, y) in numbers()) {
        let (absolute, squared) = (mean_absolute_error(&x, &y).unwrap(), mean_squared_error(&x, &y).unwrap());
        prop_assert!(absolute >= 0.0 && absolute * absolute <= squared * (1.0 + 1e-12));
        prop_assert_eq!(mean_squared_error(&y, &x).unwrap(), squared);
        prop_assert_eq!(mean_absolute_error(&x, &x).unwrap(), 0.0);
    }

    #[test]
    fn perplexity_is_no_less_than_one(nll in 0.0..500.0f64, n_tokens in 1..1000u64) {
        let one = perplexity(nll, n_tokens).unwrap();
        prop_assert!(one >= 1.0);
        prop_assert!(near(perplexity(2.0 * nll, 2 * n_tokens).unwrap().ln(), one.ln()));
    }

    #[test]
    fn written_text_is_scored_within_bounds(h in text(), r in text(), also in text()) {
        for orders in [Orders::All, Orders::Effective] {
            let bleu = Bleu { orders, ..Bleu::default() };
            let one = bleu.corpus(&[&h], &[vec![&r]]).unwrap().score;
            prop_assert!((0.0..=100.0 + 1e-9).contains(&one));
            let itself = bleu.corpus(&[&h], &[vec![&h]]).unwrap();
            prop_assert!(itself.score == 0.0 || near(itself.score, 100.0));
        }
        for chrf in [Chrf::default(), Chrf::PLUS_PLUS] {
            let one = chrf.corpus(&[&h], &[vec![&r]]).unwrap().score;
            let two = chrf.corpus(&[&h], &[vec![&r, &also]]).unwrap().score;
            prop_assert!((0.0..=100.0 + 1e-9).contains(&one));
            prop_assert!(two >= one, "a further reference never takes away from one row");
        }
    }

    #[test]
    fn rouge_turned_round_swaps_precision_and_recall(h in text(), r in text()) {
        for stemming in [Stemming::Off, Stemming::Porter] {
            let rouge = Rouge { stemming };
            let (one, other) = (rouge.score(&h, &r), rouge.score(&r, &h));
            for (one, other) in
                [(one.rouge1, other.rouge1), (one.rouge2, other.rouge2), (one.rouge_l, other.rouge_l)]
            {
                prop_assert!(in_bounds(one) && near(one.precision, other.recall) && near(one.f1, other.f1));
            }
            prop_assert!(in_bounds(one.rouge_lsum));
            prop_assert!(one.rouge1.f1 >= one.rouge_l.f1 - 1e-12 && one.rouge_l.f1 >= 0.0);
            let itself = rouge.score(&h, &h).rouge_lsum.f1;
            prop_assert!(itself == 0.0 || near(itself, 1.0));
        }
    }

    #[test]
    fn a_match_is_a_match_in_every_word(p in text(), a in text(), other in text()) {
        let f1 = token_f1(&p, &[&a]).unwrap();
        prop_assert!((0.0..=1.0).contains(&f1));
        prop_assert_eq!(token_f1(&a, &[&p]).unwrap(), f1);
        prop_assert!(token_f1(&p, &[&a, &other]).unwrap() >= f1);
        prop_assert!(!exact_match(&p, &[&a]).unwrap() || f1 == 1.0);
    }

    #[test]
    fn entities_do_not_overlap(tags in tags()) {
        let (predicted, actual): (Vec<String>, Vec<String>) = tags.into_iter().unzip();
        for reading in [Reading::Lenient, Reading::StrictIob2] {
            let found = entities(&predicted, reading).unwrap();
            prop_assert!(found.windows(2).all(|pair| pair[0].end <= pair[1].start));
            prop_assert!(found.iter().all(|one| one.start < one.end && one.end <= predicted.len()));
            let counts = EntityCounts::count(from_ref(&predicted), from_ref(&actual), reading).unwrap();
            prop_assert!(in_bounds(counts.overall()));
            let itself = EntityCounts::count(from_ref(&actual), from_ref(&actual), reading).unwrap().overall();
            prop_assert!(itself.f1 == 0.0 || itself.f1 == 1.0);
        }
    }

    #[test]
    fn rows_add_up_to_the_corpus(tags in prop::collection::vec(tags(), 1..6)) {
        let (predicted, actual): (Vec<Vec<String>>, Vec<Vec<String>>) =
            tags.into_iter().map(|row| row.into_iter().unzip()).unzip();
        let mut sum = EntityCounts::default();
        for row in EntityCounts::rows(&predicted, &actual, Reading::Lenient).unwrap().iter().rev() {
            sum += row;
        }
        prop_assert_eq!(sum, EntityCounts::count(&predicted, &actual, Reading::Lenient).unwrap());
    }

    #[test]
    fn an_interval_lies_within_the_values_and_follows_the_seed((values, _) in numbers(), seed in any::<u64>()) {
        let mean = |places: &[usize]| Ok(places.iter().map(|at| values[*at]).sum::<f64>() / places.len() as f64);
        let of = |confidence| {
            bootstrap(values.len(), Resampling { n_resamples: 50, confidence, seed }, mean).unwrap()
        };
        let (narrow, wide) = (of(0.5), of(0.95));
        prop_assert!(wide.low <= narrow.low && narrow.low <= narrow.high && narrow.high <= wide.high);
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        prop_assert!(least - 1e-9 <= wide.low && wide.high <= most + 1e-9);
        prop_assert_eq!(of(0.5), narrow);
    }
}
