//! A run in a folder, with what is said of it and what it leaves there.
#![allow(dead_code, clippy::unwrap_used)] // each test file uses its part; helpers may give up

use std::path::Path;

use burn::tensor::Tensor;
use spec::{Control, Plan, RunEvent, Score};
use train::{Course, Objective, TrainError, latest, run};

/// Runs `plan` in `folder`, where nothing is written meanwhile; `asked` is looked at before each step. Returns what was
/// said.
pub fn course<O: Objective>(
    folder: &Path,
    plan: &Plan,
    objective: &O,
    [lessons, validation]: [&[O::Lesson]; 2],
    judge: &dyn Fn(&[Vec<f32>]) -> Vec<Score>,
    asked: &dyn Fn() -> Option<Control>,
    profile: Option<&Path>,
) -> Result<Vec<RunEvent>, TrainError> {
    let samples = &|_: &_| Ok(Vec::new());
    let course = Course {
        plan,
        objective,
        lessons,
        validation,
        samples,
        judge,
        checkpoints: folder,
        n_cut: [0, 0],
        profile,
        asked,
    };
    let mut said = Vec::new();
    run(&course, &mut |event| {
        said.push(event);
        Ok(())
    })?;
    Ok(said)
}

/// What the latest checkpoint in `folder` is made of.
pub fn files(folder: &Path) -> Vec<Vec<u8>> {
    let name = latest(folder).unwrap();
    ["trainable.safetensors", "optimizer.safetensors", "state.json"]
        .map(|file| std::fs::read(folder.join(&name).join(file)).unwrap())
        .to_vec()
}

/// The numbers of tensors, one after the other.
pub fn values(tensors: impl IntoIterator<Item = Tensor<2>>) -> Vec<f32> {
    tensors.into_iter().flat_map(|t| t.into_data().iter::<f32>().collect::<Vec<_>>()).collect()
}
