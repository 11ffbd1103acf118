//! Layers whose inside is made again in the backward pass: the same numbers, whatever the model and whatever learns,
//! dropout on; bit for bit, but for encoder-decoders.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

mod common;
#[path = "common/course.rs"]
mod course;

use std::sync::Mutex;

use adapt::{Dropout, Full, Learner, Learns, Lora, LoraConfig};
use burn::tensor::{Device, Tensor, TensorData};
use common::{open, rows};
use course::{course, files, values};
use data::{Answer, Pair, Question};
use model::{
    Base, FAMILIES, HeadFrom, HeadModel, HeadSpec, Reads,
    encoder::Family,
    seq2seq::{Seq2Seq, Seq2SeqConfig},
};
use spec::{DeviceChoice, GradientCheckpointing, Optim, TargetModules};
use testkit::{fixture, plan, tiny_of};
use train::{Head, Objective, Update, Workers};
use weights::Checkpoint;

/// What is done is recorded for the whole process.
static ALONE: Mutex<()> = Mutex::new(());

/// An adapter that says something on every linear layer.
fn shaken(model: &impl Base) -> Learner {
    let config = LoraConfig {
        r: 4,
        lora_alpha: 8.0,
        lora_dropout: 0.2,
        use_rslora: false,
        target_modules: TargetModules::AllLinear,
        modules_to_save: model.modules_to_save(),
    };
    let born = Lora::attach(model, config, 3).unwrap();
    let shaken = born.values().map(|t| {
        let [rows, columns] = t.dims();
        let noise = (0..rows * columns).map(|i| ((i * 7919 % 101) as f32 - 50.0) / 500.0).collect::<Vec<_>>();
        t.clone() + Tensor::from_data(TensorData::new(noise, [rows, columns]), model.device())
    });
    Learner::Lora(born.with_values(shaken.collect()))
}

/// Loss and gradients of `lessons` are those bits however much is made again, or as near as `within` of the largest; and the
/// more is made again, the more is done.
fn same<O: Objective>(what: &str, objective: &O, lessons: &[O::Lesson], within: f32) {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let model = objective.model();
    for learner in [shaken(model), Learner::Full(Full::everything(model))] {
        for threads in [1, 2] {
            let of = |how| {
                let workers = Workers::new(DeviceChoice::Cpu, threads).unwrap().recomputing(how);
                let update = Update { rows: lessons.iter().collect() };
                let dropout = Some(Dropout { rate: 0.2, seed: 9 });
                kernels::trace::record();
                let computed = workers.gradients(objective, &learner, &update, dropout).unwrap();
                let spans = kernels::trace::taken().spans;
                let done = |name: &str| spans.iter().filter(|span| span.name == name).count();
                let done = (done("attention, forward"), done("linears, forward"));
                (computed.loss.to_bits(), values(computed.gradients), done)
            };
            let kept = of(GradientCheckpointing::None);
            let largest = kept.1.iter().fold(0.0f32, |most, gradient| most.max(gradient.abs()));
            assert!(largest > 0.0, "{what}");
            let (attention, layer) = (of(GradientCheckpointing::Attention), of(GradientCheckpointing::Layer));
            for (loss, gradients, _) in [&attention, &layer] {
                assert_eq!(*loss, kept.0, "{what}");
                let same = |(a, b): &(&f32, &f32)| (*a - *b).abs() <= within * largest;
                let same = gradients.iter().zip(&kept.1).filter(same).count();
                assert_eq!(same, kept.1.len(), "{what}: so many gradients are the same");
            }
            let ((a0, l0), (a1, l1), (a2, l2)) = (kept.2, attention.2, layer.2);
            assert!(a1 > a0 && l1 > l0, "{what}: attention is made again");
            assert!(a2 == a1 && l2 > l1, "{what}: so is the rest");
        }
    }
}

#[test]
fn decoders_have_the_same_gradients() {
    for tiny in tiny_of(&FAMILIES.iter().map(|family| family.model_type).collect::<Vec<_>>()) {
        let model = open(&fixture(&format!("tiny/{tiny}")));
        let most = model.config().vocab_size as u32;
        let ids = |seed: u32, n: u32| (0..n).map(|i| (seed + i * 37) % most).collect::<Vec<_>>();
        let lists = [ids(3, 17), ids(11, 9), ids(5, 23)];
        same(&tiny, &model, &rows(lists.iter().map(Vec::as_slice)), 0.0);
    }
}

#[test]
fn encoders_have_the_same_gradients() {
    for tiny in tiny_of(&Family::MODEL_TYPES) {
        let checkpoint = Checkpoint::open(&fixture(&format!("tiny/{tiny}"))).unwrap();
        for reads in [Reads::Text, Reads::Tokens] {
            let head = HeadSpec { reads, num_labels: 3, from: HeadFrom::Nothing, seed: 7 };
            let model = HeadModel::open(&checkpoint, head, &Device::flex()).unwrap();
            let most = model.vocab_size() as u32;
            let question = |seed: u32| {
                let ids: Vec<u32> = (0..7 + seed).map(|i| (3 + seed + i * 37) % most).collect();
                let tags = (0..ids.len() as u32).map(|i| (i % 4 > 0).then_some(i % 3)).collect();
                let answer = if reads == Reads::Text { Answer::Label(seed % 3) } else { Answer::Tags(tags) };
                Question { ids, type_ids: None, answer }
            };
            let questions: Vec<Question> = (1..5).map(question).collect();
            same(&tiny, &Head::unweighted(&model), &questions, 0.0);
        }
    }
}

#[test]
fn encoder_decoders_have_the_same_gradients() {
    for tiny in tiny_of(&Seq2SeqConfig::MODEL_TYPES) {
        let checkpoint = Checkpoint::open(&fixture(&format!("tiny/{tiny}"))).unwrap();
        let model = Seq2Seq::open(&checkpoint, &Device::flex()).unwrap();
        let most = model.config().vocab_size as u32;
        let ids = |seed: u32, n: u32| (0..n).map(|i| (3 + seed + i * 37) % most).collect::<Vec<_>>();
        let pairs: Vec<Pair> = (1..4)
            .map(|seed| Pair { source: ids(seed, 9 + 3 * seed), target: ids(seed, 4 + seed) })
            .collect();
        // Every layer of the decoder reads the source; what flows back is summed in another order.
        same(&tiny, &model, &pairs, 1e-6);
    }
}

/// With moments in bytes and layers made again, as a run that is short of memory has it.
#[test]
fn a_sparing_run_that_is_resumed_is_the_uninterrupted_one_bit_for_bit() {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let model = open(&fixture("tiny/llama_tied"));
    let largest = Full::everything(&model).values().map(|t| t.shape().num_elements()).max();
    assert!(largest > Some(4096), "some tensor has its moments in bytes");
    let plan = |how| {
        plan(|knobs| {
            knobs.method.value = spec::Method::Full;
            knobs.optim.value = Optim::AdamW8bit;
            knobs.gradient_checkpointing.value = how;
            knobs.max_steps.value = 7;
            knobs.save_interval.value = 2;
        })
    };
    let all: Vec<u32> = (0..60).map(|i| (i * 37) % model.config().vocab_size as u32).collect();
    let lessons = rows((0..8).map(|i| &all[i * 3..i * 3 + 6 + i % 5]));
    let judge = &|_: &[Vec<f32>]| Vec::new();
    let whole = tempfile::tempdir().unwrap();
    let layers = plan(GradientCheckpointing::Layer);
    // A run keeps nothing of a model that learns whole: the next one opens it again.
    let again = || open(&fixture("tiny/llama_tied"));
    course(whole.path(), &layers, &model, [&lessons, &[]], judge, &|| None, None).unwrap();

    let broken = tempfile::tempdir().unwrap();
    let steps = std::cell::Cell::new(0);
    let pause = || {
        steps.set(steps.get() + 1);
        (steps.get() == 4).then_some(spec::Control::Pause)
    };
    // What ran out of memory can go on with less.
    let kept = plan(GradientCheckpointing::None);
    course(broken.path(), &kept, &again(), [&lessons, &[]], judge, &pause, None).unwrap();
    course(broken.path(), &layers, &again(), [&lessons, &[]], judge, &|| None, None).unwrap();
    assert_eq!(files(whole.path()), files(broken.path()));
    let optimizer = &files(whole.path())[1];
    assert!(String::from_utf8_lossy(&optimizer[..40_000.min(optimizer.len())]).contains("exp_avg.absmax"));
}
