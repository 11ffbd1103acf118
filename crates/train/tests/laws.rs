//! What holds of training whatever the model: on a tiny random checkpoint.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

mod common;
#[path = "common/course.rs"]
mod course;
#[path = "common/shaken.rs"]
mod shaken;

use std::{cell::Cell, path::Path};

use adapt::{Learner, Learns};
use burn::tensor::Tensor;
use common::{open, rows, taught};
use course::{course, files, values};
use data::{Row, pack, unpacked};
use model::{Bare, Decoder, Layout};
use shaken::shaken;
use spec::{Control, DeviceChoice, EndReason, Plan, RunEvent};
use testkit::{assert_close, fixture, json, plan, whole};
use train::{AdamW, Checkpoint, Stepper, TrainError, Update, Workers, method};

fn tiny() -> Decoder {
    open(&fixture("tiny/llama_tied"))
}

/// Rows of several lengths, cut from the fixture's tokens.
fn some_rows(n: usize) -> Vec<Row> {
    let all = whole(&json("tiny/llama_tied/expected.json")["ids"]);
    rows((0..n).map(|i| &all[i * 3..i * 3 + 6 + i % 5]))
}

#[test]
fn a_newborn_adapter_changes_nothing_and_a_grown_one_is_its_composed_weight() {
    let model = tiny();
    let row = &some_rows(1)[0].ids;
    let layout = Layout::packed(model.config(), &[vec![row.len() as u32]], row.len(), model.device());
    let base = values([model.hidden(row, &layout, None, &Bare).unwrap()]);
    let born = Learner::attach(&model, &method(&plan(|_| {}).knobs, &model), 1).unwrap();
    assert_eq!(values([model.hidden(row, &layout, None, &born).unwrap()]), base);

    let grown = shaken(&model);
    let linear = model.linears().nth(5).unwrap();
    let x = Tensor::<2>::ones([3, linear.shape()[1]], model.device()) * 0.3;
    let composed = linear.weight(&Bare) + grown.delta(&linear.path).unwrap();
    let expected = values([x.clone().matmul(composed.transpose())]);
    assert_close(&values([linear.forward(&x, &grown)]), &expected, 1e-5, "a grown adapter");
}

#[test]
fn packed_rows_give_the_loss_and_gradients_of_unpacked_ones() {
    let model = tiny();
    let adapter = shaken(&model);
    let workers = Workers::new(DeviceChoice::Gpu { index: 0 }, 1).unwrap(); // which joins no rows by itself
    let tokens: Vec<_> = some_rows(7).iter().map(|row| taught(&row.ids)).collect();
    let (one_each, packed) = (unpacked(&tokens), pack(&tokens, 24));
    assert!(packed.len() < one_each.len());
    let of = |rows: &[Row]| {
        workers.gradients(&model, &adapter, &Update { rows: rows.iter().collect() }, None).unwrap()
    };
    let (expected, found) = (of(&one_each), of(&packed));
    assert!((found.loss - expected.loss).abs() < 1e-5, "{} is not {}", found.loss, expected.loss);
    assert_close(&values(found.gradients), &values(expected.gradients), 1e-5, "packed");
}

#[test]
fn batches_of_any_size_give_the_same_gradient() {
    let model = tiny();
    let adapter = shaken(&model);
    let rows = some_rows(4);
    // A GPU takes a batch at a time: four at once is 4x1, one at a time is 1x4.
    let of = |batch_size| {
        let workers = Workers::new(DeviceChoice::Gpu { index: 0 }, batch_size).unwrap();
        workers.gradients(&model, &adapter, &Update { rows: rows.iter().collect() }, None).unwrap()
    };
    let one_by_one = of(1);
    let cores = Workers::new(DeviceChoice::Cpu, 1).unwrap();
    let on_cores = cores.gradients(&model, &adapter, &Update { rows: rows.iter().collect() }, None).unwrap();
    let expected = values(one_by_one.gradients);
    for found in [of(4), on_cores] {
        assert!((found.loss - one_by_one.loss).abs() < 1e-5);
        assert_close(&values(found.gradients), &expected, 1e-5, "batches of another size");
    }
}

/// A run over twelve rows in `folder`; `asked` is looked at before each step.
fn go(folder: &Path, plan: &Plan, asked: &dyn Fn() -> Option<Control>) -> Result<Vec<RunEvent>, TrainError> {
    let (rows, validation) = (some_rows(12), some_rows(3));
    course(folder, plan, &tiny(), [&rows, &validation], &|_| Vec::new(), asked, None)
}

#[test]
fn a_resumed_run_is_the_uninterrupted_one_bit_for_bit() {
    let plan = plan(|knobs| {
        knobs.max_steps.value = 9;
        knobs.dropout.value = 0.1;
        knobs.learning_rate.value = 1e-2;
        knobs.eval_interval.value = 3;
        knobs.save_interval.value = 2;
    });
    let whole = tempfile::tempdir().unwrap();
    go(whole.path(), &plan, &|| None).unwrap();

    let broken = tempfile::tempdir().unwrap();
    let steps = Cell::new(0);
    let said = go(broken.path(), &plan, &|| {
        steps.set(steps.get() + 1);
        (steps.get() == 6).then_some(Control::Pause)
    });
    assert!(matches!(said.unwrap().last(), Some(RunEvent::Paused { step: 5, .. })));
    let said = go(broken.path(), &plan, &|| None).unwrap();
    assert!(matches!(said.first(), Some(RunEvent::Ready { resumed_at: 5, .. })));
    assert_eq!(files(whole.path()), files(broken.path()));
}

#[test]
fn stopping_keeps_what_was_learned_and_early_stopping_keeps_the_best() {
    let folder = tempfile::tempdir().unwrap();
    let steps = Cell::new(0);
    let stop = || {
        steps.set(steps.get() + 1);
        (steps.get() == 3).then_some(Control::Stop)
    };
    let plan_of = |patience| {
        plan(|knobs| {
            knobs.max_steps.value = 40;
            knobs.eval_interval.value = 1;
            knobs.early_stopping_patience.value = patience;
            // Far too fast, so that the validation loss rises.
            knobs.learning_rate.value = 0.5;
        })
    };
    let said = go(folder.path(), &plan_of(0), &stop).unwrap();
    let Some(RunEvent::Ended { reason: EndReason::Stopped, step: 2, checkpoint }) = said.last() else {
        panic!("{:?}", said.last())
    };
    assert!(folder.path().join(checkpoint).join("trainable.safetensors").is_file());

    let folder = tempfile::tempdir().unwrap();
    let said = go(folder.path(), &plan_of(2), &|| None).unwrap();
    let Some(RunEvent::Ended { reason: EndReason::EarlyStopped, step, checkpoint }) = said.last() else {
        panic!("{:?}", said.last())
    };
    assert!(*step < 40);
    assert!(folder.path().join(checkpoint).join("trainable.safetensors").is_file());
}

#[test]
fn a_run_that_diverges_or_does_not_move_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let still = plan(|knobs| knobs.learning_rate.value = 1e-30);
    assert!(matches!(go(folder.path(), &still, &|| None), Err(TrainError::NothingMoved(_))));

    let model = tiny();
    let adapter = shaken(&model);
    let broken = adapter.with_values(adapter.values().map(|t| t.clone() * f32::NAN).collect());
    let rows = some_rows(2);
    let plan = plan(|_| {});
    let mut optimizer = AdamW::new(spec::Optim::AdamW, broken.values(), 0.0);
    let update = Update { rows: rows.iter().collect() };
    let stepped = Stepper::new(&plan, &model).unwrap().step(broken, &mut optimizer, &update, &|_| 1e-3, 7);
    assert!(matches!(stepped.err(), Some(TrainError::Diverged { step: 7 })));
}

#[test]
fn what_steps_cost_is_told_once_and_each_piece_of_work_is_written_down() {
    for (max_steps, recorded) in [(1, 1), (3, 2), (6, 3)] {
        let folder = tempfile::tempdir().unwrap();
        let trace = folder.path().join("trace.json");
        let plan = plan(|knobs| knobs.max_steps.value = max_steps);
        let rows = some_rows(12);
        let said =
            course(folder.path(), &plan, &tiny(), [&rows, &[]], &|_| Vec::new(), &|| None, Some(&trace))
                .unwrap();
        let told: Vec<_> = said
            .iter()
            .filter_map(|event| match event {
                RunEvent::Profiled { profile, trace } => Some((profile, trace)),
                _ => None,
            })
            .collect();
        let [(profile, file)] = told.as_slice() else { panic!("{} profiles", told.len()) };
        assert_eq!((profile.steps, file.as_str()), (recorded, "trace.json"));
        for part in ["linears, forward", "attention, backward", "cross-entropy", "optimizer"] {
            assert!(profile.parts.iter().any(|cost| cost.name == part && cost.secs > 0.0), "{part}");
        }
        assert!(profile.product_flop > 0.0);
        let trace: serde_json::Value = serde_json::from_slice(&std::fs::read(trace).unwrap()).unwrap();
        assert!(trace["traceEvents"].as_array().unwrap().iter().any(|event| event["name"] == "optimizer"));
    }
}

#[test]
fn a_damaged_checkpoint_is_named_and_not_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(|knobs| knobs.max_steps.value = 5);
    go(folder.path(), &plan, &|| None).unwrap();
    let file = folder.path().join(Checkpoint::name(5)).join("optimizer.safetensors");
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    let error = go(folder.path(), &plan, &|| None).unwrap_err();
    assert!(error.to_string().contains("optimizer.safetensors"), "{error}");
}
