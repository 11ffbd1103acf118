//! `cargo run -p charts --example gallery -- FOLDER`: every kind of chart, light and dark, to be looked at.

use std::{error::Error, fs, path::PathBuf};

use charts::{
    Chart, LossChart, Overlay, Point, Run, Scale, Size, Smoothing, Sparkline, Theme, loss, overlay, sparkline,
};

/// A loss that falls from `high` to `low`, with noise that is the same each time.
fn falling(steps: u32, every: u32, high: f64, low: f64, noise: f64) -> Vec<Point> {
    let mut state = 1u32;
    let mut random = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1 << 24) - 0.5
    };
    let at = |step: u32| low + (high - low) * (-4.0 * f64::from(step) / f64::from(steps)).exp();
    (1..=steps).filter(|step| step % every == 0).map(|step| (step, at(step) + noise * random())).collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from).ok_or("usage: gallery FOLDER")?;
    fs::create_dir_all(&folder)?;
    let (train, mut validation) = (falling(900, 1, 4.4, 1.3, 0.7), falling(900, 90, 4.3, 1.45, 0.04));
    validation.iter_mut().skip(7).for_each(|point| point.1 += 0.12);
    let second = falling(900, 90, 4.2, 1.8, 0.05);
    let third = falling(700, 70, 4.6, 1.1, 0.05);
    let long = falling(100_000, 1, 9.0, 0.2, 0.15);
    for (theme, suffix) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
        let one = LossChart {
            title: "SmolLM2 135M on symptom_to_diagnosis",
            train: &train,
            validation: &validation,
            best: Some(630),
            smoothing: Smoothing::Auto,
            scale: Scale::Linear,
            theme,
            size: Size::USUAL,
        };
        let runs = [
            Run { name: "rank 8", train: &train, validation: &validation },
            Run { name: "rank 32, all linear layers, second try", train: &[], validation: &second },
            Run { name: "learning rate 0.0005", train: &[], validation: &third },
        ];
        let several = Overlay {
            title: "Three runs",
            runs: &runs,
            smoothing: Smoothing::Auto,
            scale: Scale::Linear,
            theme,
            size: Size::USUAL,
        };
        let small = Size { width: 120, height: 32 };
        let pictures: [(&str, Chart); 7] = [
            ("loss", loss(&one)),
            (
                "log",
                loss(&LossChart {
                    title: "",
                    train: &long,
                    validation: &[],
                    best: None,
                    scale: Scale::Log,
                    ..one
                }),
            ),
            ("short", loss(&LossChart { train: &train[..12], validation: &[], best: None, ..one })),
            ("empty", loss(&LossChart { train: &[], validation: &[], best: None, ..one })),
            ("small", loss(&LossChart { title: "Small", size: Size { width: 320, height: 180 }, ..one })),
            ("overlay", overlay(&several)),
            ("sparkline", sparkline(&Sparkline { points: &train, theme, size: small })),
        ];
        for (name, chart) in pictures {
            fs::write(folder.join(format!("{name}-{suffix}.svg")), &chart.svg)?;
            fs::write(folder.join(format!("{name}-{suffix}.png")), chart.png(2.0)?)?;
        }
    }
    Ok(())
}
