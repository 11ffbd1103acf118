//! Training beside a base that stays in blocks (QLoRA) or in bfloat16: losses and gradients are those beside the numbers that
//! it stands for, however much of each layer is made again.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

mod common;
#[path = "common/course.rs"]
mod course;
#[path = "common/decoded.rs"]
mod decoded;
#[path = "common/shaken.rs"]
mod shaken;

use std::path::Path;

use adapt::{Learner, Learns, Lora, LoraConfig};
use burn::tensor::Device;
use common::rows;
use course::values;
use data::{Answer, Pair, Question, Row};
use decoded::{decoded, decoded_by};
use model::{
    Base, Decoder, HeadFrom, HeadModel, HeadSpec, Reads,
    encoder::Family,
    seq2seq::{Seq2Seq, Seq2SeqConfig},
};
use shaken::shaken;
use spec::{DeviceChoice, GradientCheckpointing, Quantization, TargetModules};
use testkit::{assert_close, fixture, tiny_of};
use train::{Head, Objective, Update, Workers};
use weights::Checkpoint;

fn open(path: &Path, how: Quantization) -> Decoder {
    Decoder::open_as(&Checkpoint::open(path).unwrap(), how, &Device::flex()).unwrap()
}

fn some_rows(n: usize) -> Vec<Row> {
    let all: Vec<u32> = (0..200).map(|i| (i * 37 + 11) % 160).collect();
    rows((0..n).map(|i| &all[i * 9..i * 9 + 12 + i % 7]))
}

/// The mean loss, and the gradient of each tensor that learns.
fn learned<O: Objective>(
    objective: &O,
    learner: &(impl Learns + Sync),
    lessons: &[O::Lesson],
    how: GradientCheckpointing,
) -> (f64, Vec<f32>) {
    let workers = Workers::new(DeviceChoice::Cpu, 2).unwrap().recomputing(how);
    let update = Update { rows: lessons.iter().collect() };
    let found = workers.gradients(objective, learner, &update, None).unwrap();
    (found.loss, values(found.gradients))
}

/// How near is near enough.
#[derive(Clone, Copy)]
struct Within {
    /// Of a loss of one, or of a larger one's share.
    loss: f64,
    /// Of the largest gradient, for each.
    each: f32,
    /// Of the length of all gradients, for the length of all that they are off by.
    all: f32,
}

/// As f32 has it, whose sums are taken in another order.
const SAME: Within = Within { loss: 1e-5, each: 1e-4, all: 1e-4 };
/// As 8 bits of what is multiplied have it.
const ROUNDED: Within = Within { loss: 1e-2, each: 1.0, all: 0.1 };
/// Made again: but for encoder-decoders, the same bits.
const AGAIN: Within = Within { loss: 0.0, each: 1e-6, all: 1e-6 };

fn length(numbers: impl Iterator<Item = f32>) -> f32 {
    numbers.map(|x| x * x).sum::<f32>().sqrt()
}

/// How long what gradients are off by is, where they are one long.
fn off(found: &[f32], expected: &[f32]) -> f32 {
    length(found.iter().zip(expected).map(|(a, b)| a - b)) / length(expected.iter().copied())
}

fn near(found: &(f64, Vec<f32>), expected: &(f64, Vec<f32>), within: Within, what: &str) {
    let far = (found.0 - expected.0).abs();
    assert!(far <= within.loss * expected.0.abs().max(1.0), "{what}: {} is not {}", found.0, expected.0);
    let largest = expected.1.iter().fold(0.0f32, |top, x| top.max(x.abs()));
    assert!(largest > 0.0, "{what}: nothing would be learned");
    assert_close(&found.1, &expected.1, f64::from(within.each * largest), what);
    let far = off(&found.1, &expected.1);
    assert!(far <= within.all, "{what}: gradients are off by {far} of their length");
}

/// That `kept` is learned beside as `exact` is, and as much so whatever is made again.
fn learns_the_same<O: Objective>(kept: &O, exact: &O, lessons: &[O::Lesson], within: Within, what: &str) {
    use GradientCheckpointing::{Attention, Layer, None};
    let learner = Learner::Lora(shaken(kept.model()));
    let found = learned(kept, &learner, lessons, None);
    near(&found, &learned(exact, &learner, lessons, None), within, what);
    for how in [Attention, Layer] {
        near(&learned(kept, &learner, lessons, how), &found, AGAIN, &format!("{what}, {how} made again"));
    }
}

fn n_kept(model: &impl Base) -> usize {
    model.parameters().iter().filter(|parameter| parameter.value().plain().is_none()).count()
}

#[test]
fn beside_every_kind_of_blocks_the_same_is_learned_as_beside_their_numbers() {
    let cases = [
        ("gguf/llama_q4_1.gguf", "llama_tied", Quantization::Stored),
        ("gguf/gpt2_q5_0.gguf", "gpt2", Quantization::Stored),
        ("gguf/qwen3_q4_0.gguf", "qwen3", Quantization::Stored),
        ("tiny/llama_tied", "llama_tied", Quantization::Nf4),
        ("tiny/gemma2", "gemma2", Quantization::Nf4),
        ("tiny/gpt2", "gpt2", Quantization::Nf4),
        ("tiny/phi3", "phi3", Quantization::Q8_0),
    ];
    for (file, tiny, how) in cases {
        let model = open(&fixture(file), how);
        let exact = decoded(&model, &format!("tiny/{tiny}/config.json"));
        learns_the_same(&model, &exact, &some_rows(5), SAME, &format!("{file} as {how}"));
    }
}

/// PEFT's `modules_to_save`: the head learns as the numbers that it stood for.
#[test]
fn a_quantised_head_that_learns_whole_learns_as_its_numbers() {
    let model = open(&fixture("gguf/llama_q4_1.gguf"), Quantization::Stored);
    let exact = decoded(&model, "tiny/llama_tied/config.json");
    let attached = |model: &Decoder| {
        let config = LoraConfig {
            r: 2,
            lora_alpha: 4.0,
            lora_dropout: 0.0,
            use_rslora: false,
            target_modules: TargetModules::Attention,
            modules_to_save: vec!["embed_tokens".to_owned()],
        };
        Lora::attach(model, config, 3).unwrap()
    };
    let of = |model: &Decoder| learned(model, &attached(model), &some_rows(5), GradientCheckpointing::None);
    near(&of(&model), &of(&exact), SAME, "a head");
}

/// Ways to keep weights of a file that has none in blocks, and how near what is learned then comes.
const MADE: [(Quantization, Within); 3] =
    [(Quantization::Nf4, SAME), (Quantization::Q8_0, SAME), (Quantization::Bf16, ROUNDED)];

#[test]
fn encoders_learn_beside_blocks_what_they_learn_beside_their_numbers() {
    for tiny in tiny_of(&Family::MODEL_TYPES) {
        let checkpoint = Checkpoint::open(&fixture(&format!("tiny/{tiny}"))).unwrap();
        for reads in [Reads::Text, Reads::Tokens] {
            let head = HeadSpec { reads, num_labels: 3, from: HeadFrom::Nothing, seed: 7 };
            let question = |seed: u32| {
                let ids: Vec<u32> = (0..7 + seed).map(|i| (3 + seed + i * 37) % 150).collect();
                let tags = (0..ids.len() as u32).map(|i| (i % 4 > 0).then_some(i % 3)).collect();
                let answer = if reads == Reads::Text { Answer::Label(seed % 3) } else { Answer::Tags(tags) };
                Question { ids, type_ids: None, answer }
            };
            let questions: Vec<Question> = (1..5).map(question).collect();
            for (how, within) in MADE {
                let model = HeadModel::open_as(&checkpoint, head, how, &Device::flex()).unwrap();
                let tables = usize::from(how == Quantization::Bf16);
                assert_eq!(n_kept(&model), Base::linears(&model).len() + tables, "{tiny}: {how}");
                let exact = decoded_by(&model, &format!("tiny/{tiny}/config.json"), |file| {
                    HeadModel::open(file, head, &Device::flex()).unwrap()
                });
                assert_eq!(n_kept(&exact), 0);
                let what = format!("{tiny} as {how}, which reads {reads:?}");
                let [model, exact] = [&model, &exact].map(Head::unweighted);
                learns_the_same(&model, &exact, &questions, within, &what);
            }
        }
    }
}

/// Some of the tiny T5s turn what is rounded into much: weights of 8 bits move their gradients by half of their length.
/// Products of bfloat16 move them less than that.
#[test]
fn encoder_decoders_learn_beside_blocks_what_they_learn_beside_their_numbers() {
    for tiny in tiny_of(&Seq2SeqConfig::MODEL_TYPES) {
        let checkpoint = Checkpoint::open(&fixture(&format!("tiny/{tiny}"))).unwrap();
        let ids = |seed: u32, n: u32| (0..n).map(|i| (3 + seed + i * 37) % 90).collect::<Vec<_>>();
        let pair = |seed: u32| Pair { source: ids(seed, 9 + 3 * seed), target: ids(seed, 4 + seed) };
        let pairs: Vec<Pair> = (1..4).map(pair).collect();
        let open = |how| Seq2Seq::open_as(&checkpoint, how, &Device::flex()).unwrap();
        let gradients = |how| {
            let model = open(how);
            let learner = Learner::Lora(shaken(&model));
            learned(&model, &learner, &pairs, GradientCheckpointing::None).1
        };
        let of_8_bits = off(&gradients(Quantization::Q8_0), &gradients(Quantization::None));
        for (how, within) in MADE {
            let within = if how == Quantization::Bf16 { Within { all: of_8_bits, ..within } } else { within };
            let model = open(how);
            let has_head = model.parameters().iter().any(|parameter| parameter.name == "lm_head.weight");
            let tables = usize::from(how == Quantization::Bf16) * (1 + usize::from(has_head));
            assert_eq!(n_kept(&model), Base::linears(&model).len() + tables, "{tiny}: {how}");
            let exact = decoded_by(&model, &format!("tiny/{tiny}/config.json"), |file| {
                Seq2Seq::open(file, &Device::flex()).unwrap()
            });
            assert_eq!(n_kept(&exact), 0);
            learns_the_same(&model, &exact, &pairs, within, &format!("{tiny} as {how}"));
        }
    }
}
