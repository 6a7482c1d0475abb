//! Prometheus's text format 0.0.4, read strictly by its specification and by
//! nothing that walinkd is made of.

use std::collections::{BTreeMap, BTreeSet};

pub(crate) type Labels = BTreeMap<String, String>;

/// A scrape.
#[derive(Debug, Default)]
pub(crate) struct Exposition {
    /// Each family with its type.
    pub(crate) families: BTreeMap<String, String>,
    samples: BTreeMap<(String, Labels), f64>,
}

impl Exposition {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if !text.ends_with('\n') {
            return Err("the last line does not end".to_owned());
        }
        let mut found = Self::default();
        let mut helped = BTreeSet::new();
        let mut family: Option<String> = None;
        for line in text.split_terminator('\n') {
            let wrong = |what: &str| format!("{what}: {line:?}");
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, help) = help.split_once(' ').ok_or_else(|| wrong("no help"))?;
                check_name(name, true).map_err(|what| wrong(&what))?;
                unescape(help, false).map_err(|what| wrong(&what))?;
                if help.trim().is_empty() || !helped.insert(name.to_owned()) {
                    return Err(wrong("empty or again"));
                }
                family = None;
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').ok_or_else(|| wrong("no type"))?;
                if !helped.contains(name) {
                    return Err(wrong("no HELP before it"));
                }
                if !["counter", "gauge", "histogram"].contains(&kind) {
                    return Err(wrong("a type that is not in use here"));
                }
                if kind == "counter" && !name.ends_with("_total") {
                    return Err(wrong("a counter is called _total"));
                }
                let before = found.families.insert(name.to_owned(), kind.to_owned());
                if before.is_some() {
                    return Err(wrong("a family in two places"));
                }
                family = Some(name.to_owned());
            } else {
                let family = family.as_ref().ok_or_else(|| wrong("no TYPE before it"))?;
                found.sample(family, line).map_err(|what| wrong(&what))?;
            }
        }
        let named = helped.iter().eq(found.families.keys());
        if !named {
            return Err("HELP without TYPE".to_owned());
        }
        found.check_histograms()?;
        Ok(found)
    }

    fn sample(&mut self, family: &str, line: &str) -> Result<(), String> {
        let end = line.find(['{', ' ']).ok_or("no value")?;
        let (name, rest) = line.split_at(end);
        check_name(name, true)?;
        let (labels, rest) = labels(rest)?;
        let value = rest.strip_prefix(' ').ok_or("no space before the value")?;
        let value = number(value)?;
        let suffix = name.strip_prefix(family).ok_or("of another family")?;
        let kind = self.families[family].as_str();
        let fits = match kind {
            "histogram" => match suffix {
                "_bucket" => labels.contains_key("le"),
                "_sum" | "_count" => true,
                _ => false,
            },
            _ => suffix.is_empty(),
        };
        if !fits {
            return Err(format!("not of a {kind}"));
        }
        if kind != "gauge" && (value < 0.0 || !value.is_finite()) || value.is_nan() {
            return Err(format!("no value for a {kind}"));
        }
        let before = self.samples.insert((name.to_owned(), labels), value);
        before.map_or(Ok(()), |_| Err("told twice".to_owned()))
    }

    /// Buckets count what is below them too, and the last has all.
    fn check_histograms(&self) -> Result<(), String> {
        let histograms = self
            .families
            .iter()
            .filter(|(_, kind)| *kind == "histogram");
        for (family, _) in histograms {
            let mut series: BTreeMap<Labels, Vec<(f64, f64)>> = BTreeMap::new();
            for ((name, labels), count) in &self.samples {
                if *name == format!("{family}_bucket") {
                    let mut labels = labels.clone();
                    let bound = labels.remove("le").expect("checked when read");
                    let buckets = series.entry(labels).or_default();
                    buckets.push((number(&bound)?, *count));
                }
            }
            let of = |what: &str| {
                let name = format!("{family}_{what}");
                let keys = self.samples.keys().filter(|(told, _)| *told == name);
                keys.map(|(_, labels)| labels.clone())
                    .collect::<BTreeSet<_>>()
            };
            let have = series.keys().cloned().collect::<BTreeSet<_>>();
            if have != of("count") || have != of("sum") {
                return Err(format!(
                    "{family}: buckets, sum and count of different series"
                ));
            }
            for (labels, mut buckets) in series {
                buckets.sort_by(|(one, _), (other, _)| one.total_cmp(other));
                let cumulative = buckets.is_sorted_by_key(|(_, count)| *count);
                let count = self.samples[&(format!("{family}_count"), labels.clone())];
                if !cumulative || buckets.last() != Some(&(f64::INFINITY, count)) {
                    return Err(format!("{family}{labels:?}: {buckets:?} of {count}"));
                }
            }
        }
        Ok(())
    }

    /// One sample; `None` when it is not told.
    pub(crate) fn get(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels = labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        self.samples
            .get(&(name.to_owned(), labels.collect()))
            .copied()
    }

    /// All samples of a name, by their labels.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = (&Labels, f64)> {
        let samples = self
            .samples
            .iter()
            .filter(move |((told, _), _)| told == name);
        samples.map(|((_, labels), value)| (labels, *value))
    }

    /// The names of all samples.
    pub(crate) fn names(&self) -> BTreeSet<&str> {
        self.samples.keys().map(|(name, _)| name.as_str()).collect()
    }
}

fn check_name(name: &str, colons: bool) -> Result<(), String> {
    let good = |at: usize, letter: char| {
        letter.is_ascii_alphabetic()
            || letter == '_'
            || (colons && letter == ':')
            || (at > 0 && letter.is_ascii_digit())
    };
    let whole = !name.is_empty() && name.char_indices().all(|(at, letter)| good(at, letter));
    whole
        .then_some(())
        .ok_or_else(|| format!("{name:?} is no name"))
}

/// `{a="b",c="d"}`, or nothing, and what is behind.
fn labels(text: &str) -> Result<(Labels, &str), String> {
    let mut found = Labels::new();
    let Some(mut rest) = text.strip_prefix('{') else {
        return Ok((found, text));
    };
    loop {
        let (name, value) = rest.split_once("=\"").ok_or("no label")?;
        check_name(name, false)?;
        if name.starts_with("__") {
            return Err("a reserved label".to_owned());
        }
        let mut escaped = false;
        let end = value.find(|letter| {
            let ends = letter == '"' && !escaped;
            escaped = letter == '\\' && !escaped;
            ends
        });
        let (value, behind) = value.split_at(end.ok_or("the label does not end")?);
        if found
            .insert(name.to_owned(), unescape(value, true)?)
            .is_some()
        {
            return Err(format!("{name} twice"));
        }
        let behind = &behind[1..];
        if let Some(behind) = behind.strip_prefix('}') {
            return Ok((found, behind));
        }
        rest = behind.strip_prefix(',').ok_or("no comma")?;
    }
}

fn unescape(text: &str, quotes: bool) -> Result<String, String> {
    let mut plain = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        plain.push(match letter {
            '\\' => match letters.next() {
                Some('\\') => '\\',
                Some('n') => '\n',
                Some('"') if quotes => '"',
                other => return Err(format!("{other:?} escaped")),
            },
            '\r' => return Err("a carriage return".to_owned()),
            other => other,
        });
    }
    Ok(plain)
}

fn number(text: &str) -> Result<f64, String> {
    match text {
        "+Inf" => Ok(f64::INFINITY),
        "-Inf" => Ok(f64::NEG_INFINITY),
        "NaN" => Ok(f64::NAN),
        _ if text.starts_with(|first: char| first.is_ascii_digit() || first == '-') => {
            text.parse().map_err(|_| format!("{text:?} is no number"))
        }
        _ => Err(format!("{text:?} is no number")),
    }
}

#[test]
fn it_reads_what_is_right() {
    let text = "# HELP a_total A \\\\ b\\n.\n# TYPE a_total counter\na_total{x=\"\\\"\\\\\\n,}\"} 1\na_total{x=\"\",y=\"2\"} 2e3\n\
                # HELP b B.\n# TYPE b gauge\nb -Inf\n\
                # HELP h H.\n# TYPE h histogram\nh_bucket{le=\"0.5\"} 1\nh_bucket{le=\"+Inf\"} 3\nh_sum 4.5\nh_count 3\n";
    let found = Exposition::parse(text).expect("it is right");
    assert_eq!(found.get("a_total", &[("x", "\"\\\n,}")]), Some(1.0));
    assert_eq!(found.get("a_total", &[("y", "2"), ("x", "")]), Some(2000.0));
    assert_eq!(found.get("b", &[]), Some(f64::NEG_INFINITY));
    assert_eq!(found.get("h_count", &[]), Some(3.0));
}

#[test]
fn it_refuses_what_is_wrong() {
    let counter = "# HELP a_total A.\n# TYPE a_total counter\n";
    let histogram = "# HELP h H.\n# TYPE h histogram\n";
    for text in [
        "a 1\n",
        "# TYPE a gauge\na 1\n",
        "# HELP a A.\na 1\n",
        "# HELP a A.\n# TYPE a counter\na 1\n",
        "# HELP a A.\n# TYPE a gauge\nb 1\n",
        "# HELP a A.\n# TYPE a gauge\na 1\n# HELP a A.\n# TYPE a gauge\n",
        &format!("{counter}a_total 1"),
        &format!("{counter}a_total -1\n"),
        &format!("{counter}a_total NaN\n"),
        &format!("{counter}a_total one\n"),
        &format!("{counter}a_total  1\n"),
        &format!("{counter}a_total 1\n\n"),
        &format!("{counter}a_total 1\na_total 1\n"),
        &format!("{counter}a_total{{x=\"a\\t\"}} 1\n"),
        &format!("{counter}a_total{{x=\"a\"\"}} 1\n"),
        &format!("{counter}a_total{{x=\"a\",x=\"b\"}} 1\n"),
        &format!("{counter}a_total{{__x=\"a\"}} 1\n"),
        &format!("{counter}a_total{{0x=\"a\"}} 1\n"),
        &format!("{histogram}h 1\n"),
        &format!("{histogram}h_bucket{{le=\"+Inf\"}} 1\nh_count 1\n"),
        &format!("{histogram}h_bucket{{le=\"+Inf\"}} 1\nh_sum 1\nh_count 2\n"),
        &format!("{histogram}h_bucket{{le=\"1\"}} 1\nh_sum 1\nh_count 1\n"),
        &format!(
            "{histogram}h_bucket{{le=\"1\"}} 2\nh_bucket{{le=\"+Inf\"}} 1\nh_sum 1\nh_count 1\n"
        ),
    ] {
        assert!(Exposition::parse(text).is_err(), "{text}");
    }
}
