//! What stands behind the `?`.

use crate::wire::{Code, Problem};
use axum::{
    extract::{FromRequestParts, Query},
    http::request::Parts,
};
use std::time::Duration;

/// Longer waits are cut to this: proxies give up soon after.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// A parameter that a call takes; its line in the table names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parameter {
    pub name: &'static str,
    pub required: bool,
    pub kind: Kind,
    /// What it is for, in sentences.
    pub about: &'static str,
}

/// How a parameter is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Time,
    Number { least: u64, most: u64 },
    Text,
    Word(&'static [&'static str]),
}

pub(super) const WAIT: Parameter = Parameter {
    name: "wait",
    required: false,
    kind: Kind::Time,
    about: "How long to wait for it: 10s, 500ms, 1m or plain seconds. A longer time than 60 s is cut to that.",
};

/// The parameters, in the order they came in. Unknown ones are let be: pages
/// add their own against caches.
#[derive(Debug)]
pub(super) struct Params(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Query::try_from_uri(&parts.uri)
            .map(|Query(pairs)| Self(pairs))
            .map_err(|error| bad(format!("The query cannot be read: {error}.")))
    }
}

impl Params {
    #[cfg(test)]
    pub(super) fn none() -> Self {
        Self(Vec::new())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut pairs = self.0.iter();
        let (_, value) = pairs.find(|(key, _)| key == name)?;
        Some(value)
    }

    /// `?wait=`: `10s`, `500ms`, `1m` or plain seconds.
    pub(super) fn wait(&self) -> Result<Option<Duration>, Problem> {
        let Some(text) = self.get(WAIT.name) else {
            return Ok(None);
        };
        let wait = duration(text).ok_or_else(|| {
            bad("wait is a time such as 10s, 500ms or plain seconds, at most 60s.".to_owned())
        })?;
        Ok(Some(wait.min(LONGEST_WAIT)))
    }

    /// A parameter that is a whole number; `hint` says which.
    pub(super) fn number(&self, name: &str, hint: &str) -> Result<Option<u64>, Problem> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let number = text
            .parse()
            .map_err(|_| bad(format!("{name} is a whole number: {hint}.")))?;
        Ok(Some(number))
    }

    /// A parameter that is a whole number within the bounds that its kind tells.
    pub(super) fn within(&self, parameter: &Parameter) -> Result<Option<usize>, Problem> {
        let Some(text) = self.get(parameter.name) else {
            return Ok(None);
        };
        let Kind::Number { least, most } = parameter.kind else {
            return Ok(None);
        };
        let number = text.parse().ok().filter(|n| (least..=most).contains(n));
        let number = number.and_then(|number| usize::try_from(number).ok());
        let number = number.ok_or_else(|| {
            bad(format!(
                "{} is a whole number from {least} to {most}.",
                parameter.name
            ))
        })?;
        Ok(Some(number))
    }
}

pub(super) fn bad(error: String) -> Problem {
    Problem::new(Code::BadRequest, error)
}

fn duration(text: &str) -> Option<Duration> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let count: u64 = digits.parse().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(count)),
        "s" | "" => Some(Duration::from_secs(count)),
        "m" => Some(Duration::from_secs(count.saturating_mul(60))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, millis) in [
            ("10s", 10_000),
            ("500ms", 500),
            ("7", 7_000),
            ("1m", 60_000),
            ("0", 0),
        ] {
            assert_eq!(
                duration(text),
                Some(Duration::from_millis(millis)),
                "{text}"
            );
        }
        for text in [
            "",
            "s",
            "-1s",
            "1.5s",
            "10 s",
            "1h",
            "99999999999999999999s",
            "٣s",
        ] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn waits_are_cut_to_the_longest() {
        let params = Params(vec![(
            "wait".to_owned(),
            "18446744073709551615m".to_owned(),
        )]);
        assert_eq!(params.wait(), Ok(Some(LONGEST_WAIT)));
    }
}
