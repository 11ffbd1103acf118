//! Whole plans as a person reads them.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may give up

mod common;

use common::{data, device, facts, question};
use expect_test::{Expect, expect};
use plan::{DataKind, DeviceFacts, Facts, Pace, resolve};
use spec::{Asked, DeviceKind, Effort, Plan, Quantization, RunSpec};

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
    check(
        &question(Asked::default()),
        &facts,
        expect![[r#"
            device cpu: the processor: Test device
            supervise replies: the model should learn to answer, not to ask
            source_prefix none: only a model that turns texts into others has one
            context_length 384: covers 99 % of your examples; the longest has 612 tokens
            packing on: half of your examples have at most 189 tokens, so 2 or more share a row
            group_by_length off: the processor computes no padding
            method lora: it learns nearly as much in far less memory
            trainable all: full fine-tuning moves all of it
            quantization none: exact weights, since there is memory for them
            mixed_precision no: a processor has bf16 weights for that
            rank 16: goes with standard
            alpha 32: twice the rank of 16
            dropout 0: 1,000 examples need none
            target_modules all-linear: adapting all linear layers learns most for its size
            use_rslora off: the plain scale is what most tools expect
            learning_rate 0.0002: adapters of small models learn well at 0.0002; full training would want a tenth of it
            schedule cosine: 261 steps: long enough to fall gently
            warmup_ratio 0.05: the learning rate rises over the first 13 of 261 steps
            epochs 3: goes with standard
            max_steps 261: 3 times through the data, 87 steps each
            batch_size 2: one row for each of the 2 processor threads
            gradient_accumulation 3: makes 6 rows and about 2,189 tokens a step, which keeps it steady
            class_weights off: every example counts alike
            weight_decay 0.01: a light pull that rarely hurts
            max_grad_norm 1: only odd batches go past 1
            optim adamw: the plain one is what most recipes were made with
            gradient_checkpointing none: there is memory to keep what the backward pass needs, which is fastest
            seed 42: any number serves; the same one gives the same run
            eval_interval 27: 10 looks at your 100 validation examples in the run
            eval_examples 0: all of them, so that runs can be compared
            early_stopping_patience 3: after three looks without gain, more training only learns by heart
            save_interval 9: so that a crash costs about 3 min
            n_samples 3: enough to read at a glance, and quick to write
            template OfModel
            1.10 to 1.62 GB, 2963 to 17788 s, 571232 tokens
        "#]],
    );
}

#[test]
fn quick_keeps_to_minutes() {
    let mut facts = facts(data(DataKind::Completion, chats(5000), 500), device(DeviceKind::Cpu, 8));
    facts.device.pace = Some(Pace { tokens_per_sec: 150.0, quantization: Quantization::None });
    check(
        &RunSpec { effort: Some(Effort::Quick), ..question(Asked::default()) },
        &facts,
        expect![[r#"
            device cpu: the processor: Test device
            supervise replies: the model should learn the completions, not the prompts
            source_prefix none: only a model that turns texts into others has one
            context_length 384: covers 99 % of your examples; the longest has 612 tokens
            packing on: half of your examples have at most 189 tokens, so 2 or more share a row
            group_by_length off: the processor computes no padding
            method lora: it learns nearly as much in far less memory
            trainable all: full fine-tuning moves all of it
            quantization none: exact weights, since there is memory for them
            mixed_precision no: a processor has bf16 weights for that
            rank 8: goes with quick
            alpha 16: twice the rank of 8
            dropout 0: 5,001 examples need none
            target_modules all-linear: adapting all linear layers learns most for its size
            use_rslora off: the plain scale is what most tools expect
            learning_rate 0.0002: adapters of small models learn well at 0.0002; full training would want a tenth of it
            schedule linear: 20 steps: a straight fall suits a short run
            warmup_ratio 0.1: the learning rate rises over the first 2 of 20 steps
            epochs 0.046: quick trains for about 5 min, and once through the data takes 434 steps
            max_steps 20: about 5 min at an expected 150 tokens a second; once through the data would be 434 steps
            batch_size 2: one row for each of the 2 processor threads
            gradient_accumulation 3: makes 6 rows and about 2,188 tokens a step, which keeps it steady
            class_weights off: every example counts alike
            weight_decay 0.01: a light pull that rarely hurts
            max_grad_norm 1: only odd batches go past 1
            optim adamw: the plain one is what most recipes were made with
            gradient_checkpointing none: there is memory to keep what the backward pass needs, which is fastest
            seed 42: any number serves; the same one gives the same run
            eval_interval 20: 1 look at 200 of your 500 validation examples in the run; one takes about 2 min, and more than a fifth of the time is too much
            eval_examples 200: of your 500 validation examples: a quick run has no time for all
            early_stopping_patience 3: after three looks without gain, more training only learns by heart
            save_interval 10: so that a crash costs about 2 min
            n_samples 3: enough to read at a glance, and quick to write
            template None
            1.06 to 1.56 GB, 465 to 728 s, 43761 tokens
        "#]],
    );
}

#[test]
fn thorough_on_few_long_texts_and_a_graphics_card() {
    let facts =
        facts(data(DataKind::Text, vec![3000, 5000, 9000, 20_000], 0), device(DeviceKind::DiscreteGpu, 12));
    check(
        &RunSpec { effort: Some(Effort::Thorough), ..question(Asked::default()) },
        &facts,
        expect![[r#"
            device gpu:0: the graphics adapter: Test device
            supervise everything: running text has no replies: all of it is taught
            source_prefix none: only a model that turns texts into others has one
            context_length 8192: covers 50 % of your examples; the longest has 20,000 tokens; thorough goes no further, for the time it takes
            packing off: half of your examples have 5,000 tokens or more, which leaves no room to share
            group_by_length off: your examples are about as long
            method lora: it learns nearly as much in far less memory
            trainable all: full fine-tuning moves all of it
            quantization none: exact weights, since there is memory for them
            mixed_precision no: 32 bits are the surest; fp16 halves the frozen weights and is quicker on most cards
            rank 32: goes with thorough
            alpha 64: twice the rank of 32
            dropout 0.05: 4 examples are few, and this keeps them from being learned by heart
            target_modules all-linear: adapting all linear layers learns most for its size
            use_rslora off: the plain scale is what most tools expect
            learning_rate 0.0002: adapters of small models learn well at 0.0002; full training would want a tenth of it
            schedule linear: 20 steps: a straight fall suits a short run
            warmup_ratio 0.1: the learning rate rises over the first 2 of 20 steps
            epochs 20: once through your data takes 1 step, and more than 20 times is learning by heart
            max_steps 20: 20 times through the data, 1 step each
            batch_size 1: 4 rows at once do not fit into memory
            gradient_accumulation 4: makes 4 rows and about 24,384 tokens a step, which keeps it steady
            class_weights off: every example counts alike
            weight_decay 0.01: a light pull that rarely hurts
            max_grad_norm 1: only odd batches go past 1
            optim adamw: the plain one is what most recipes were made with
            gradient_checkpointing none: there is memory to keep what the backward pass needs, which is fastest
            seed 42: any number serves; the same one gives the same run
            eval_interval 20: there are no validation examples to look at
            eval_examples 0: all of them, so that runs can be compared
            early_stopping_patience 0: there are no validation examples to judge by
            save_interval 10: so that a crash costs about 2 min
            n_samples 0: there are no validation examples to answer
            template None
            5.49 to 8.08 GB, 112 to 679 s, 487680 tokens
        "#]],
    );
}

#[test]
fn the_slower_an_adapter_the_less_it_gets_at_once() {
    let planned = |gigaflops: f64| {
        let device =
            DeviceFacts { flops_per_sec: Some(gigaflops * 1e9), ..device(DeviceKind::IntegratedGpu, 64) };
        let facts = facts(data(DataKind::Chat, vec![900; 999], 100), device);
        let plan = resolve(&question(Asked::default()), &facts).unwrap();
        let (rows, kernels) = (&plan.knobs.batch_size, plan.kernels_at_once.unwrap());
        format!("{gigaflops} GFLOP/s: {kernels} kernels, {} rows: {}", rows.value, rows.because)
    };
    expect![[r#"
        5000 GFLOP/s: 19 kernels, 8 rows: all 8 rows of a step at once
        500 GFLOP/s: 1 kernels, 8 rows: all 8 rows of a step at once
        100 GFLOP/s: 1 kernels, 2 rows: 8 rows at once would keep the adapter busy for too long at a time
        20 GFLOP/s: 1 kernels, 1 rows: 8 rows at once would keep the adapter busy for too long at a time"#]]
    .assert_eq(&[5000.0, 500.0, 100.0, 20.0].map(planned).join("\n"));
}

#[test]
fn what_does_not_fit_is_refused_with_what_helps() {
    let facts = facts(data(DataKind::Chat, vec![4000; 64], 8), device(DeviceKind::DiscreteGpu, 2));
    let knobs = Asked { batch_size: Some(8), context_length: Some(4096), ..Asked::default() };
    check(
        &question(knobs),
        &facts,
        expect![[r#"
            this run needs at least 3.1 GB, and Test device has 2.0 GB free
            It fits with batch size 2 instead of 8.
        "#]],
    );
}

#[test]
fn combinations_that_cannot_be_are_refused_in_plain_words() {
    let good = facts(data(DataKind::Chat, chats(99), 10), device(DeviceKind::Cpu, 8));
    let with = |knob: &str, value: &str| {
        let mut knobs = Asked::default();
        knobs.set(knob, value).unwrap();
        question(knobs)
    };
    check(
        &with("target_modules", "q_proj,c_attn"),
        &good,
        expect![[r#"
        `c_attn` is not a layer that can be adapted
        Choose from q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj, or write all-linear.
    "#]],
    );
    check(
        &with("context_length", "16384"),
        &good,
        expect![[r#"
        a context length of 16,384 is more than the 8,192 tokens that this model can take
        Set it to 8,192 or less, or leave it open.
    "#]],
    );
    let mut empty = good.clone();
    empty.data.n_train = 0;
    check(
        &question(Asked::default()),
        &empty,
        expect![[r#"
        there are no training examples
        Set fewer aside for validation and test, or add rows to the data set.
    "#]],
    );
    let mut untaught = good.clone();
    untaught.data.supervised_share = 0.0;
    check(
        &question(Asked::default()),
        &untaught,
        expect![[r#"
        none of the tokens would be taught, so nothing would be learned
        Check which column holds the replies, or set supervise to everything.
    "#]],
    );
    check(
        &RunSpec { device: Some(spec::DeviceChoice::Gpu { index: 1 }), ..question(Asked::default()) },
        &good,
        expect![[r#"
            gpu:1 was asked for, but it is cpu that was measured
            List the devices and choose one of them.
        "#]],
    );
    check(
        &question(Asked { rank: Some(0), ..Asked::default() }),
        &good,
        expect![[r#"
        `0` does not fit rank: it is a whole number from 1 to 1024

    "#]],
    );
}

#[test]
fn a_run_that_ran_out_of_memory_is_asked_for_again_with_layers_made_twice_before_it_is_cut() {
    let facts = facts(data(DataKind::Chat, chats(999), 100), device(DeviceKind::DiscreteGpu, 64));
    let asked = |context: u32, batch: u32, again| {
        let knobs = Asked {
            context_length: Some(context),
            batch_size: Some(batch),
            gradient_checkpointing: again,
            ..Asked::default()
        };
        let plan = resolve(&question(knobs), &facts).unwrap();
        let smaller = plan::smaller(&plan, &facts.model, &facts.device);
        smaller.map(|smaller| (smaller.knobs.rows(), smaller.same_result))
    };
    let of = |rows: &[(&'static str, &str)], same| {
        Some((rows.iter().map(|(k, v)| (*k, (*v).to_owned())).collect(), same))
    };
    let layer = Some(spec::GradientCheckpointing::Layer);
    assert_eq!(asked(2048, 2, None), of(&[("gradient_checkpointing", "layer")], true));
    let rows = [("batch_size", "1"), ("gradient_accumulation", "2")];
    assert_eq!(asked(8192, 2, layer), of(&rows, true), "as many rows make up a step");
    assert_eq!(asked(8192, 1, layer), of(&[("context_length", "4096")], false));
    let rows = [("batch_size", "1"), ("gradient_accumulation", "8")];
    assert_eq!(asked(64, 8, layer), of(&rows, true));
    assert_eq!(asked(64, 1, layer), None, "the weights alone are nearly all of it");
}
