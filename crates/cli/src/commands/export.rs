//! `tunesmith export`: what a run learned, for other tools.

use std::path::PathBuf;

use engine::{Engine, IfThere};
use spec::{ApiError, ExportForm, Exported, Precision, RunId};

use crate::{
    args::{Dtype, Export, Format},
    out::{Out, bytes, short},
    progress::Bar,
};

pub fn run(engine: &Engine, asked: &Export, out: &mut Out) -> Result<(), ApiError> {
    let id = engine.find_run(&asked.run)?;
    let form = match asked.format {
        Format::Adapter => ExportForm::Adapter,
        Format::Merged => ExportForm::Merged {
            precision: match asked.dtype {
                Dtype::F32 => Precision::F32,
                Dtype::Bf16 => Precision::Bf16,
                Dtype::F16 => Precision::F16,
            },
        },
    };
    let if_there = if asked.overwrite { IfThere::Replace } else { IfThere::Refuse };
    let target = asked.out.clone().unwrap_or_else(|| usual_place(engine, id, form));
    let mut bar = Bar::new(out);
    let exported = engine.export(id, form, &target, if_there, &mut |p| bar.show(p))?;
    drop(bar);
    tell(&exported, out)
}

/// In the exports folder, named after the run.
pub fn usual_place(engine: &Engine, id: RunId, form: ExportForm) -> PathBuf {
    let form = match form {
        ExportForm::Adapter => "adapter",
        ExportForm::Merged { .. } => "merged",
    };
    engine.home().exports().join(format!("{}-{form}", short(id)))
}

pub fn tell(exported: &Exported, out: &mut Out) -> Result<(), ApiError> {
    let (path, size) = (&exported.path, bytes(exported.bytes));
    out.say(format!("Exported to {path}: {} files, {size}.", exported.files));
    out.say(format!(
        "Read back: the largest difference of any logit is {}; what was learned moves them by up to {}.",
        small(exported.difference),
        small(exported.moved),
    ));
    out.object(exported)
}

/// With two digits: `2.9e-4`, `0.15`, `1.3`, `12`; 0 is exact.
fn small(number: f64) -> String {
    match number {
        0.0 => "0".to_owned(),
        n if n < 0.01 => format!("{n:.1e}"),
        n if n < 1.0 => format!("{n:.2}"),
        n if n < 10.0 => format!("{n:.1}"),
        n => format!("{n:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_difference_keeps_its_digits() {
        assert_eq!([2.94e-4, 0.0, 0.153, 1.26, 12.34].map(small), ["2.9e-4", "0", "0.15", "1.3", "12"]);
    }
}
