//! Plans for models that answer with a head, and what is refused in which words.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may give up

mod common;

use common::{data, device, labels, minilm, question, smollm2};
use expect_test::expect;
use plan::{DataFacts, DataKind, Facts, Load, ModelFacts, TensorFacts, draft, memory, resolve};
use spec::{
    Asked, Code, DeviceKind, GradientCheckpointing, Method, MixedPrecision, Optim, Quantization, RunSpec,
    TargetModules, Task, TaskKind, Trainable,
};

fn on(model: ModelFacts, data: DataFacts) -> Facts {
    Facts { model, data, device: device(DeviceKind::Cpu, 8) }
}

/// Texts like those of the sentences that people write in a form.
fn labelled(n: u32, counts: &[(&str, u64)]) -> DataFacts {
    let lengths = (0..n).map(|i| 18 + (i * 13) % 50).collect();
    DataFacts { labels: labels(counts), supervised_share: 1.0, ..data(DataKind::Labelled, lengths, 80) }
}

fn asked(task: Option<TaskKind>, knobs: Asked) -> RunSpec {
    RunSpec { task, ..question(knobs) }
}

#[test]
fn a_classifier_on_a_small_encoder_has_a_plan_of_its_own() {
    let counts = [("positive", 300), ("neutral", 310), ("negative", 158)];
    let plan = resolve(&asked(None, Asked::default()), &on(minilm(), labelled(768, &counts))).unwrap();
    let labels = ["negative", "neutral", "positive"].map(str::to_owned).to_vec();
    assert_eq!(plan.task.value, Task::Classify { labels });
    let mut page = format!("{}\n", plan.task.because);
    for (key, value, because) in plan.knobs.rows().into_iter().filter(|row| TaskKind::Classify.uses(row.0)) {
        page += &format!("{key} {value}: {because}\n");
    }
    expect![[r#"
        each text of the data has one label
        context_length 128: holds all your examples; the longest has 67 tokens
        group_by_length off: the processor computes no padding
        method lora: it learns nearly as much in far less memory
        trainable all: full fine-tuning moves all of it
        quantization none: exact weights, since there is memory for them
        mixed_precision no: a processor has bf16 weights for that
        rank 16: goes with standard
        alpha 32: twice the rank of 16
        dropout 0: 768 examples need none
        target_modules all-linear: adapting all linear layers learns most for its size
        use_rslora off: the plain scale is what most tools expect
        learning_rate 0.001: adapters of small encoders learn well at 0.001, and the new head has far to go
        schedule cosine: 432 steps: long enough to fall gently
        warmup_ratio 0.05: the learning rate rises over the first 22 of 432 steps
        epochs 9: once through your data takes 48 steps, and fewer than 400 in all teach little
        max_steps 432: 9 times through the data, 48 steps each
        batch_size 16: all 16 rows of a step at once
        gradient_accumulation 1: makes 16 rows and about 679 tokens a step, which keeps it steady
        class_weights off: `neutral` has 310 training examples, `negative` has 158: even enough that every example counts alike
        weight_decay 0.01: a light pull that rarely hurts
        max_grad_norm 1: only odd batches go past 1
        optim adamw: the plain one is what most recipes were made with
        gradient_checkpointing none: there is memory to keep what the backward pass needs, which is fastest
        seed 42: any number serves; the same one gives the same run
        eval_interval 44: 10 looks at your 80 validation examples in the run
        eval_examples 0: all of them, so that runs can be compared
        early_stopping_patience 3: after three looks without gain, more training only learns by heart
        save_interval 44: at each look at the validation data
    "#]].assert_eq(&page);
}

#[test]
fn training_all_of_an_encoder_goes_slower_and_takes_more_memory() {
    let facts = on(minilm(), labelled(768, &[("a", 400), ("b", 368)]));
    let full = Asked { method: Some(Method::Full), ..Asked::default() };
    let [lora, full] = [Asked::default(), full].map(|knobs| resolve(&asked(None, knobs), &facts).unwrap());
    assert!(full.knobs.learning_rate.value < lora.knobs.learning_rate.value);
    assert!(full.forecast.memory.high > lora.forecast.memory.high + 2.0 * 4.0 * 22e6);
    assert!(full.forecast.secs.low > lora.forecast.secs.low);
}

#[test]
fn what_is_frozen_has_neither_gradient_nor_moments() {
    let tensor = |name: &str, n| TensorFacts { name: name.to_owned(), n };
    let model = ModelFacts {
        tensors: vec![
            tensor("bert.embeddings.word_embeddings.weight", 11_720_448),
            tensor("bert.encoder.layer.0.output.dense.weight", 9_000_000),
            tensor("bert.encoder.layer.5.output.dense.weight", 1_992_768),
        ],
        ..minilm()
    };
    let facts = on(model, labelled(768, &[("a", 400), ("b", 368)]));
    let memory = |words: &str| {
        let knobs = Asked {
            method: Some(Method::Full),
            trainable: Some(words.parse().unwrap()),
            batch_size: Some(16),
            context_length: Some(64),
            ..Asked::default()
        };
        draft(&asked(None, knobs), &facts).unwrap().memory
    };
    // Weights, two moments, and a gradient of each of two threads.
    // Two moments and a gradient: the weights are there either way.
    let saved = (memory("all") - memory("!embeddings")) / 4.0 / 11_720_448.0;
    assert!((saved - 3.0).abs() < 1e-6, "{saved} copies");
    assert!(memory("layers:5") < memory("!embeddings"));
}

#[test]
fn peaks_that_were_measured_are_foreseen_within_a_seventh() {
    let load = |tokens, mean, batch, rank, outputs| Load {
        tokens,
        mean,
        batch,
        accumulation: 1,
        quantization: Quantization::None,
        mixed_precision: MixedPrecision::No,
        rank,
        targets: TargetModules::AllLinear,
        full: None,
        outputs,
        optim: Optim::AdamW,
        recompute: GradientCheckpointing::None,
    };
    let texts = || load(64, Some(39.5), 16, 16, Some(22));
    let cases = [
        (minilm(), texts(), 281_894_912.0),
        (minilm(), Load { full: Some(Trainable::default()), ..texts() }, 510_369_792.0),
        (smollm2(), load(256, None, 4, 8, None), 1.06e9),
        (smollm2(), load(512, None, 1, 8, None), 1.03e9),
        (
            smollm2(),
            Load { recompute: GradientCheckpointing::Attention, ..load(256, None, 4, 8, None) },
            1.056e9,
        ),
        (smollm2(), Load { recompute: GradientCheckpointing::Layer, ..load(256, None, 4, 8, None) }, 0.839e9),
        (smollm2(), Load { recompute: GradientCheckpointing::Layer, ..load(512, None, 1, 8, None) }, 0.814e9),
        (
            smollm2(),
            Load { recompute: GradientCheckpointing::Attention, ..load(1024, None, 2, 8, None) },
            1.847e9,
        ),
    ];
    for (model, load, measured) in cases {
        let foreseen = memory(&model, &device(DeviceKind::Cpu, 8), &load).total();
        assert!((foreseen / measured - 1.0).abs() < 0.15, "{foreseen} where {measured} was taken: {load:?}");
    }
}

fn refused(model: ModelFacts, data: DataFacts, task: Option<TaskKind>, knobs: Asked) -> String {
    let error = resolve(&asked(task, knobs), &on(model, data)).unwrap_err();
    assert!(matches!(error.code(), Code::Usage | Code::BadModel | Code::NothingToLearn));
    format!("{error}\n{}", error.hint().unwrap())
}

#[test]
fn what_cannot_be_is_refused_with_the_nearest_that_can() {
    let classes = || labelled(60, &[("a", 30), ("b", 30)]);
    let chats = || data(DataKind::Chat, vec![40; 60], 6);
    let tagged = || DataFacts { kind: DataKind::Tagged, ..labelled(60, &[("O", 500), ("B-PER", 60)]) };
    let open = Asked::default;
    let packed = || Asked { packing: Some(true), ..Asked::default() };
    let weighed = || Asked { class_weights: Some(true), ..Asked::default() };
    let all = [
        refused(minilm(), chats(), None, open()),
        refused(smollm2(), tagged(), None, open()),
        refused(smollm2(), classes(), Some(TaskKind::Write), open()),
        refused(minilm(), chats(), Some(TaskKind::Classify), open()),
        refused(minilm(), classes(), Some(TaskKind::Score), open()),
        refused(smollm2(), chats(), Some(TaskKind::Transform), open()),
        refused(minilm(), labelled(60, &[("a", 60)]), None, open()),
        refused(minilm(), labelled(60, &[("a", 0)]), None, open()),
        refused(minilm(), classes(), None, packed()),
        refused(smollm2(), chats(), None, weighed()),
    ];
    expect![[r#"
        this model is an encoder: it reads, and cannot write
        Choose a model that writes, such as HuggingFaceTB/SmolLM2-135M-Instruct; or data with labels, numbers or tags, which an encoder learns well.

        this model reads from the beginning on, so that of a word it does not know what follows: it cannot tag words well
        Choose an encoder, such as sentence-transformers/all-MiniLM-L6-v2.

        the task `write` cannot be learned from this data, which teaches `classify`
        To write the labels, import the data with its columns mapped as prompt and completion; or leave the task open: it is `classify`.

        the task `classify` cannot be learned from this data, which teaches `write`
        Leave the task open, which makes it `write`; or import data with labels, numbers or tags.

        the task `score` cannot be learned from this data, which teaches `classify`
        Leave the task open, which makes it `classify`; or import the data with its columns mapped to a label, a number or tags.

        this model goes on from a text, and does not turn one text into another
        Leave the task open to have it write, or choose a T5 model.

        every row for training has the label `a`, so there is nothing to tell apart
        Add rows with other labels.

        no row for training has a label
        Import the data again and map the column of labels.

        packing means nothing for the task `classify`
        Leave it open.

        class_weights means nothing for the task `write`
        Leave it open.
    "#]].assert_eq(&(all.join("\n\n") + "\n"));
}
