//! A report as one page of HTML that needs nothing else: no script, no font, no picture from elsewhere.

use charts::{Bar, Theme};
use spec::{Measured, Report, Task};

/// More labels than this make a matrix that nobody reads.
const MOST_LABELS: usize = 60;

/// The page, light or dark as its reader has it. Everything that comes from data is escaped.
pub fn report_page(report: &Report) -> String {
    let Report { title, data, split, n, of, n_truncated, task, loss, classes, worst, .. } = report;
    let cut = match n_truncated {
        0 => String::new(),
        n => format!(", {n} of them cut at the context length"),
    };
    let all = if of > n { format!(" of {of}") } else { String::new() };
    let base =
        report.base_loss.map(|loss| format!(" The model it started from: {loss:.4}.")).unwrap_or_default();
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title} – report</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>{title}</h1>\n<p>Looked at {n}{all} examples of the {split} part of <b>{data}</b>{cut}. \
         Task: {}. Mean loss {loss:.4}.{base}</p>\n",
        task.kind(),
        title = escape(title),
        data = escape(data),
    );
    page += &numbers(report);
    if !classes.is_empty() {
        let bars: Vec<Bar<'_>> = classes
            .iter()
            .map(|class| Bar { label: &class.label, value: class.f1, support: class.support })
            .collect();
        let what = if matches!(task, Task::Tag { .. }) { "F1 by kind" } else { "F1 by label" };
        page += &format!("<h2>{what}</h2>\n{}", both(|theme| charts::bars(what, &bars, theme).svg));
        page += "<table>\n<tr><th>Label<th>Precision<th>Recall<th>F1<th>Examples</tr>\n";
        for class in classes {
            page += &format!(
                "<tr><td>{}<td>{:.3}<td>{:.3}<td>{:.3}<td>{}</tr>\n",
                escape(&class.label),
                class.precision,
                class.recall,
                class.f1,
                class.support
            );
        }
        page += "</table>\n";
    }
    page += &confusion(report);
    if !worst.is_empty() {
        let what = if *task == Task::Write { "What surprises it most" } else { "Where it errs most" };
        page += &format!("<h2>{what}</h2>\n");
        page += "<table>\n<tr><th>Text<th>Right<th>Said<th>Loss</tr>\n";
        for mistake in worst {
            let pair = mistake.pair.as_ref().map(|pair| format!("<hr>{}", escape(pair))).unwrap_or_default();
            page += &format!(
                "<tr><td>{}{pair}<td>{}<td>{}<td>{:.3}</tr>\n",
                escape(&mistake.text),
                escape(&mistake.expected),
                escape(&mistake.predicted),
                mistake.loss
            );
        }
        page += "</table>\n";
    }
    page += "<footer>Made by Tunesmith. Intervals hold 95 of 100 resamples of the examples.</footer>\n</main>\n</body>\n</html>\n";
    page
}

fn numbers(Report { metrics, signatures, .. }: &Report) -> String {
    let has = |of: fn(&Measured) -> Option<f64>| metrics.iter().any(|metric| of(metric).is_some());
    let (guessed, based) = (has(|m| m.guess), has(|m| m.base));
    let head = |shown: bool, name: &str| if shown { format!("<th>{name}") } else { String::new() };
    let mut table = format!(
        "<table>\n<tr><th>Metric<th>This model<th>95 % interval{}{}</tr>\n",
        head(guessed, "Guessing"),
        head(based, "Base model")
    );
    let beside = |shown: bool, value: Option<f64>| match (shown, value) {
        (false, _) => String::new(),
        (true, None) => "<td>–".to_owned(),
        (true, Some(value)) => format!("<td>{value:.3}"),
    };
    for Measured { metric, value, low, high, guess, base } in metrics {
        let (guess, base) = (beside(guessed, *guess), beside(based, *base));
        table +=
            &format!("<tr><td>{metric}<td><b>{value:.3}</b><td>{low:.3} to {high:.3}{guess}{base}</tr>\n");
    }
    table += "</table>\n";
    if guessed {
        table += "<p class=\"quiet\">Guessing says the same of every text: the most frequent label, or the mean.</p>\n";
    }
    for signature in signatures {
        table += &format!("<p class=\"quiet\">{}</p>\n", escape(signature));
    }
    table
}

fn confusion(report: &Report) -> String {
    let labels: Vec<&str> = report.task.labels().iter().map(String::as_str).collect();
    if report.confusion.is_empty() || labels.len() > MOST_LABELS {
        return String::new();
    }
    let svg = both(|theme| charts::confusion(&labels, &report.confusion, theme).svg);
    format!("<h2>Which label is taken for which</h2>\n{svg}")
}

/// A picture for each theme; the style shows one.
fn both(draw: impl Fn(Theme) -> String) -> String {
    format!(
        "<figure class=\"light\">{}</figure>\n<figure class=\"dark\">{}</figure>\n",
        draw(Theme::Light),
        draw(Theme::Dark)
    )
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' => out.push_str("<br>"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

const STYLE: &str = "
:root { color-scheme: light dark; --text: #1F1D1A; --quiet: #6B665E; --line: #E6E2DA; --surface: #FFFFFF; }
@media (prefers-color-scheme: dark) {
  :root { --text: #ECE8E1; --quiet: #A39C91; --line: #35322D; --surface: #1B1A18; }
  .light { display: none; }
}
@media (prefers-color-scheme: light) { .dark { display: none; } }
@media print { .dark { display: none; } .light { display: block; } }
body { margin: 0; background: var(--surface); color: var(--text); font: 15px/1.5 Inter, system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.5rem; }
table { border-collapse: collapse; margin: 1rem 0; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; }
th { color: var(--quiet); font-weight: 500; }
hr { border: 0; border-top: 1px dashed var(--line); }
figure { margin: 1rem 0; overflow-x: auto; }
.quiet, footer { color: var(--quiet); }
footer { margin-top: 3rem; }
";

#[cfg(test)]
mod tests {
    use spec::{ClassScore, Metric, Mistake, Split};

    use super::*;

    fn report() -> Report {
        let class = |label: &str| ClassScore {
            label: label.to_owned(),
            precision: 0.5,
            recall: 1.0,
            f1: 0.667,
            support: 3,
        };
        Report {
            title: "<b>run</b> & co".to_owned(),
            data: "tweets".to_owned(),
            split: Split::Test,
            n: 6,
            of: 8,
            n_truncated: 1,
            task: Task::Classify { labels: vec!["a".to_owned(), "<img src=x>".to_owned()] },
            loss: 0.5,
            base_loss: None,
            signatures: vec!["BLEU nrefs:1|<tok>".to_owned()],
            metrics: vec![Measured {
                metric: Metric::Accuracy,
                value: 0.75,
                low: 0.6,
                high: 0.9,
                guess: Some(0.5),
                base: None,
            }],
            classes: vec![class("a"), class("<img src=x>")],
            confusion: vec![vec![2, 1], vec![0, 3]],
            worst: vec![Mistake {
                row: 3,
                text: "\"quoted\" <script>alert(1)</script>".to_owned(),
                pair: Some("second\nline".to_owned()),
                expected: "a".to_owned(),
                predicted: "<img src=x>".to_owned(),
                loss: 2.5,
            }],
        }
    }

    #[test]
    fn a_page_needs_nothing_else_and_nothing_of_the_data_becomes_markup() {
        let page = report_page(&report());
        for markup in ["<script", "<img", "<link", "http-equiv", "url(", "@import", "<b>run"] {
            assert!(!page.contains(markup), "{markup}");
        }
        let outside = page.replace("http://www.w3.org/2000/svg", "");
        assert!(!outside.contains("http://") && !outside.contains("https://"));
        for said in [
            "0.750",
            "0.600 to 0.900",
            "Guessing",
            "second<br>line",
            "&lt;script&gt;",
            "1 of them cut",
            "6 of 8 examples",
            "BLEU nrefs:1|&lt;tok&gt;",
        ] {
            assert!(page.contains(said), "{said}");
        }
        assert_eq!(page.matches("<svg ").count(), 4, "two pictures, light and dark");
        assert!(!page.contains("Base model"), "there was none to compare with");
    }
}
