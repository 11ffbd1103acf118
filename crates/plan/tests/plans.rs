//! Whole plans as a person reads them.

mod common;

use common::{data, device, facts, question};
use expect_test::{Expect, expect};
use plan::{DataKind, Facts, resolve};
use spec::{Asked, DeviceKind, Effort, Plan, RunSpec};

fn check(spec: &RunSpec, facts: &Facts, expected: Expect) {
    let said = match resolve(spec, facts) {
        Ok(plan) => page(&plan),
        Err(error) => format!("{error}\n{}\n", error.hint().unwrap_or_default()),
    };
    expected.assert_eq(&said);
}

fn page(plan: &Plan) -> String {
    let mut page = format!("device {}: {}\n", plan.device.value, plan.device.because);
    for (key, value, because) in plan.knobs.rows() {
        page += &format!("{key} {value}: {because}\n");
    }
    let Plan { forecast, template, .. } = plan;
    page += &format!("template {template:?}\n");
    page += &format!("{:.2} to {:.2} GB, ", forecast.memory.low / 1e9, forecast.memory.high / 1e9);
    page + &format!("{:.0} to {:.0} s, {} tokens\n", forecast.secs.low, forecast.secs.high, forecast.tokens)
}

/// Lengths like those of short questions and answers, with a long one at the end.
fn chats(n: u32) -> Vec<u32> {
    (0..n).map(|i| 40 + (i * 37) % 300).chain([612]).collect()
}

#[test]
fn a_thousand_chats_on_a_laptops_processor() {
    let facts = facts(data(DataKind::Chat, chats(999), 100), device(DeviceKind::Cpu, 8));
    check(&question(Asked::default()), &facts, expect![""]);
}

#[test]
fn quick_keeps_to_minutes() {
    let mut facts = facts(data(DataKind::Completion, chats(5000), 500), device(DeviceKind::Cpu, 8));
    facts.device.tokens_per_sec = Some(150.0);
    check(&RunSpec { effort: Some(Effort::Quick), ..question(Asked::default()) }, &facts, expect![""]);
}

#[test]
fn thorough_on_few_long_texts_and_a_graphics_card() {
    let facts =
        facts(data(DataKind::Text, vec![3000, 5000, 9000, 20_000], 0), device(DeviceKind::DiscreteGpu, 12));
    check(&RunSpec { effort: Some(Effort::Thorough), ..question(Asked::default()) }, &facts, expect![""]);
}

#[test]
fn what_does_not_fit_is_refused_with_what_helps() {
    let facts = facts(data(DataKind::Chat, vec![4000; 64], 8), device(DeviceKind::DiscreteGpu, 4));
    let knobs = Asked { batch_size: Some(8), context_length: Some(4096), ..Asked::default() };
    check(&question(knobs), &facts, expect![""]);
}

#[test]
fn combinations_that_cannot_be_are_refused_in_plain_words() {
    let good = facts(data(DataKind::Chat, chats(99), 10), device(DeviceKind::Cpu, 8));
    let with = |knob: &str, value: &str| {
        let mut knobs = Asked::default();
        knobs.set(knob, value).unwrap();
        question(knobs)
    };
    check(&with("target_modules", "q_proj,c_attn"), &good, expect![""]);
    check(&with("context_length", "16384"), &good, expect![""]);
    let mut empty = good.clone();
    empty.data.n_train = 0;
    check(&question(Asked::default()), &empty, expect![""]);
    let mut untaught = good.clone();
    untaught.data.supervised_share = 0.0;
    check(&question(Asked::default()), &untaught, expect![""]);
    check(
        &RunSpec { device: Some(spec::DeviceChoice::Gpu { index: 1 }), ..question(Asked::default()) },
        &good,
        expect![""],
    );
    check(&question(Asked { rank: Some(0), ..Asked::default() }), &good, expect![""]);
}
