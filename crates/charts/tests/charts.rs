//! What every chart promises, whatever numbers it is given.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may give up

use charts::{
    LossChart, Overlay, Point, Run, Scale, Size, Smoothing, Sparkline, Theme, loss, overlay, sparkline,
};
use expect_test::{Expect, expect};
use proptest::prelude::*;

const CHART: LossChart<'static> = LossChart {
    title: "",
    train: &[],
    validation: &[],
    best: None,
    smoothing: Smoothing::Off,
    scale: Scale::Linear,
    theme: Theme::Light,
    size: Size { width: 400, height: 200 },
};

/// The words of a picture, and how many of each kind of stroke there are.
fn check(svg: &str, expected: Expect) {
    let words: Vec<_> = svg
        .split("<text ")
        .skip(1)
        .filter_map(|text| Some(text.split_once('>')?.1.split_once("</text>")?.0.trim()))
        .collect();
    let count = |tag: &str| svg.matches(tag).count();
    expected.assert_eq(&format!(
        "{}\n{} lines, {} dots",
        words.join(" | "),
        count("<polyline"),
        count("<circle")
    ));
}

#[test]
fn a_run_without_losses_shows_its_axes_and_a_sentence() {
    check(
        &loss(&CHART).svg,
        expect![[r#"
        step | No loss yet: the first comes with the first step.
        2 lines, 0 dots"#]],
    );
}

#[test]
fn lines_are_named_where_they_end_and_the_best_checkpoint_is_marked() {
    let train: Vec<Point> = (1..=100).map(|step| (step, 4.0 - 0.02 * f64::from(step))).collect();
    let validation = [(50, 3.2), (100, 2.4)];
    let chart =
        LossChart { title: "a < b & c", train: &train, validation: &validation, best: Some(50), ..CHART };
    let svg = loss(&chart).svg;
    check(
        &svg,
        expect![[r#"
            a &lt; b &amp; c | 2 | 3 | 4 | 0 | 50 | 100 | step | validation 2.40 | training 2.00 | best 3.20
            10 lines, 3 dots"#]],
    );
    assert!(svg.contains("aria-label=\"Training and validation loss: a &lt; b &amp; c\""));
}

#[test]
fn losses_that_are_no_numbers_are_left_out() {
    let odd = [(1, 2.0), (2, f64::NAN), (3, f64::INFINITY), (4, f64::NEG_INFINITY), (5, 1e300), (6, 1.0)];
    let even = [(1, 2.0), (6, 1.0)];
    assert_eq!(loss(&LossChart { train: &odd, ..CHART }), loss(&LossChart { train: &even, ..CHART }));
}

#[test]
fn a_hundred_thousand_points_make_no_larger_a_picture_than_some_thousand() {
    let train: Vec<Point> =
        (0..100_000u32).map(|step| (step, f64::from(step.wrapping_mul(7919) % 1000))).collect();
    let svg = loss(&LossChart { train: &train, smoothing: Smoothing::Auto, ..CHART }).svg;
    assert!(svg.len() < 40_000, "{} bytes", svg.len());
}

#[test]
fn the_crosshair_is_told_where_the_lines_are() {
    let chart = loss(&LossChart { train: &[(0, 1.0), (10, 3.0)], ..CHART });
    assert_eq!(chart.plot.steps, (0, 10));
    assert!(chart.plot.losses.0 < 1.0 && chart.plot.losses.1 > 3.0);
    assert!(chart.plot.left + chart.plot.width <= 400.0 && chart.plot.top + chart.plot.height <= 200.0);
}

#[test]
fn a_png_is_made_without_a_font_of_the_system() {
    let png = loss(&CHART).png(1.5).unwrap();
    assert!(png.starts_with(b"\x89PNG"));
    assert_eq!(png[16..24], [0, 0, 2, 88, 0, 0, 1, 44], "600 by 300");
    assert!(loss(&LossChart { size: Size { width: 8000, height: 10 }, ..CHART }).png(9.0).is_err());
}

fn losses() -> impl Strategy<Value = Vec<Point>> {
    let value = prop_oneof![4 => 0.0..10.0f64, 1 => any::<f64>(), 1 => -1e29..1e29f64, 1 => Just(0.0), 1 => Just(1e-300)];
    let step = prop_oneof![4 => 0..1000u32, 1 => any::<u32>()];
    prop::collection::vec((step, value), 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_numbers_make_a_picture(
        train in losses(),
        validation in losses(),
        best in prop::option::of(any::<u32>()),
        name in any::<String>(),
        (width, height) in (any::<u16>(), any::<u16>()),
        weight in any::<f64>(),
        log in any::<bool>(),
    ) {
        let scale = if log { Scale::Log } else { Scale::Linear };
        let size = Size { width: width.into(), height: height.into() };
        let chart = LossChart {
            title: &name, train: &train, validation: &validation, best,
            smoothing: Smoothing::Weight(weight), scale, theme: Theme::Dark, size,
        };
        let run = Run { name: &name, train: &train, validation: &validation };
        let over = Overlay { title: &name, runs: &[run; 9], smoothing: Smoothing::Auto, scale, theme: Theme::Dark, size };
        let pictures = [
            loss(&chart).svg,
            overlay(&over).svg,
            sparkline(&Sparkline { points: &train, theme: Theme::Light, size }).svg,
        ];
        for svg in pictures {
            prop_assert!(!svg.contains("NaN") || name.contains("NaN"));
            prop_assert!(svg.len() < 4_000_000);
        }
    }

    #[test]
    fn every_picture_can_be_turned_into_pixels(train in losses(), name in any::<String>()) {
        let chart = LossChart { title: &name, train: &train, size: Size { width: 200, height: 100 }, ..CHART };
        prop_assert!(loss(&chart).png(0.5).is_ok());
    }
}
