//! What was measured, as Markdown.

use std::{fmt::Write as _, time::Duration};

/// The same thing measured several times.
#[derive(Debug, Default, Clone)]
pub(crate) struct Samples(Vec<f64>);

impl Samples {
    pub(crate) fn add(&mut self, sample: f64) {
        self.0.push(sample);
        self.0.sort_by(f64::total_cmp);
    }

    pub(crate) fn add_time(&mut self, time: Duration) {
        self.add(time.as_secs_f64() * 1e3);
    }

    pub(crate) fn median(&self) -> f64 {
        let middle = self.0.len() / 2;
        match self.0.len() {
            0 => f64::NAN,
            length if length.is_multiple_of(2) => f64::midpoint(self.0[middle - 1], self.0[middle]),
            _ => self.0[middle],
        }
    }

    /// From the least to the most, in per cent of the median.
    pub(crate) fn spread(&self) -> f64 {
        match (self.0.first(), self.0.last()) {
            (Some(least), Some(most)) => (most - least) / self.median() * 100.0,
            _ => f64::NAN,
        }
    }

    /// Median, least and most, in milliseconds.
    pub(crate) fn times(&self) -> [String; 3] {
        let (least, most) = (self.0.first(), self.0.last());
        [Some(&self.median()), least, most].map(|time| format!("{:.1}", time.unwrap_or(&f64::NAN)))
    }
}

/// What is promised, and what was measured of it.
struct Verdict {
    what: String,
    promise: String,
    measured: String,
    met: bool,
}

/// A report that grows as things are measured.
#[derive(Default)]
pub(crate) struct Report {
    sections: String,
    verdicts: Vec<Verdict>,
}

impl Report {
    pub(crate) fn section(&mut self, title: &str, about: &str) {
        eprintln!("{title}");
        let _ = write!(self.sections, "\n## {title}\n\n{about}\n");
    }

    pub(crate) fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        self.sections.push('\n');
        self.sections.push_str(&table(head, rows));
    }

    /// A promise: no more than `most`, in `unit`.
    pub(crate) fn at_most(&mut self, what: &str, measured: f64, most: f64, unit: &str) {
        self.judge(what, measured, "≤", most, unit, measured <= most);
    }

    pub(crate) fn at_least(&mut self, what: &str, measured: f64, least: f64, unit: &str) {
        self.judge(what, measured, "≥", least, unit, measured >= least);
    }

    fn judge(&mut self, what: &str, measured: f64, sign: &str, limit: f64, unit: &str, met: bool) {
        self.verdicts.push(Verdict {
            what: what.to_owned(),
            promise: format!("{sign} {limit} {unit}").trim().to_owned(),
            measured: format!("{measured:.2} {unit}").trim().to_owned(),
            met,
        });
    }

    /// All of it, below what was found out about the run itself.
    pub(crate) fn markdown(&self, title: &str, run: &[Vec<String>]) -> String {
        let verdicts: Vec<_> = self
            .verdicts
            .iter()
            .map(|verdict| {
                vec![
                    verdict.what.clone(),
                    verdict.promise.clone(),
                    verdict.measured.clone(),
                    if verdict.met { "✓" } else { "✗" }.to_owned(),
                ]
            })
            .collect();
        format!(
            "# {title}\n\n{}\n## Promises\n\n{}{}",
            table(&["", ""], run),
            table(&["figure", "promised", "measured", ""], &verdicts),
            self.sections,
        )
    }
}

fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut text = format!(
        "| {} |\n|{}\n",
        head.join(" | "),
        " --- |".repeat(head.len())
    );
    for row in rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text
}
