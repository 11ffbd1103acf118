//! What a step costs, as a table.

use std::path::Path;

use spec::Profile;

use crate::out;

/// Of the kinds of work that `profile` tells apart, with their shares of a step; each piece of it lies in `trace`.
pub fn lines(profile: &Profile, trace: &Path) -> Vec<String> {
    let lanes = match profile.lanes {
        1 => String::new(),
        n => format!(", {n} shares of a batch at a time"),
    };
    let steps = match profile.steps {
        1 => "step".to_owned(),
        n => format!("mean of {n} steps"),
    };
    let row = |name: &str, secs: f64| {
        let share = 100.0 * secs / profile.lane_secs().max(f64::MIN_POSITIVE);
        vec![format!("  {name}"), format!("{secs:.3} s"), format!("{share:.1} %")]
    };
    let parts = profile.parts.iter().map(|part| row(&part.name, part.secs));
    let rows: Vec<Vec<String>> = parts.chain([row("between", profile.rest_secs())]).collect();
    let mut lines = vec![format!("What a step costs ({steps}, {:.3} s each{lanes}):", profile.secs)];
    lines.extend(out::table(&rows));
    if profile.product_flop > 0.0 {
        let pace = profile.product_flop / profile.product_secs.max(f64::MIN_POSITIVE) / 1e9;
        lines.push(format!(
            "Matrix products: {:.0} % of the time of {} threads, {pace:.1} GFLOP/s each.",
            100.0 * profile.product_share(),
            profile.threads,
        ));
    }
    lines.push(format!("Each piece of it: {} (for chrome://tracing or ui.perfetto.dev)", trace.display()));
    lines
}

#[cfg(test)]
mod tests {
    use spec::PartCost;

    use super::*;

    #[test]
    fn parts_have_their_share_of_what_all_lanes_have() {
        let part = |name: &str, secs| PartCost { name: name.to_owned(), secs };
        let profile = Profile {
            steps: 3,
            secs: 1.0,
            lanes: 2,
            threads: 2,
            parts: vec![part("linears, backward", 1.25), part("optimizer", 0.05)],
            product_secs: 1.5,
            product_flop: 75e9,
        };
        assert_eq!(
            lines(&profile, Path::new("runs/1/trace.json")),
            [
                "What a step costs (mean of 3 steps, 1.000 s each, 2 shares of a batch at a time):",
                "  linears, backward  1.250 s  62.5 %",
                "  optimizer          0.050 s  2.5 %",
                "  between            0.700 s  35.0 %",
                "Matrix products: 75 % of the time of 2 threads, 50.0 GFLOP/s each.",
                "Each piece of it: runs/1/trace.json (for chrome://tracing or ui.perfetto.dev)",
            ]
        );
    }
}
