//! Reads single values: durations, sizes, names, words out of a list.

use super::fault::{Wrong, shown};
use crate::wire::{PhoneNumber, Timestamp, is_key_name};
use chrono::{Days, FixedOffset, NaiveDate, NaiveTime, TimeZone as _, Utc};
use nix::unistd::Group;
use std::{ops::RangeInclusive, path::PathBuf, time::Duration};
use toml::value::{Datetime, Offset};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

/// A Unix socket address holds 108 bytes with the NUL at its end: unix(7).
const MAX_SOCKET_PATH: usize = 107;

/// Durations: the units, longest first, in milliseconds.
const UNITS: [(&str, u64); 5] = [
    ("d", 24 * 60 * 60 * 1000),
    ("h", 60 * 60 * 1000),
    ("m", 60 * 1000),
    ("s", 1000),
    ("ms", 1),
];

/// `10s`, `250ms`, `1h30m`: whole numbers with units, longest unit first.
pub(super) fn duration(text: &str, range: &RangeInclusive<Duration>) -> Result<Duration, Wrong> {
    let wrong = || {
        Wrong::new(
            format!("{} is no duration", shown(text)),
            "write whole numbers with ms, s, m, h or d, for example \"10s\" or \"1h30m\"",
        )
    };
    if text.is_empty() {
        return Err(wrong());
    }
    let mut rest = text;
    let mut millis: u64 = 0;
    let mut units = UNITS.iter();
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, after) = rest.split_at(digits);
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let letters = after.len() - after.trim_start_matches(char::is_alphabetic).len();
        let (unit, after) = after.split_at(letters);
        let (_, factor) = units.find(|(name, _)| *name == unit).ok_or_else(wrong)?;
        millis = number
            .checked_mul(*factor)
            .and_then(|part| millis.checked_add(part))
            .ok_or_else(wrong)?;
        rest = after;
    }
    within(Duration::from_millis(millis), range, show_duration)
}

/// The same, for a command line.
///
/// # Errors
///
/// What is wrong with it, and what to write.
pub fn duration_up_to(text: &str, most: Duration) -> Result<Duration, String> {
    duration(text, &(Duration::ZERO..=most))
        .map_err(|Wrong { what, hint }| format!("{what}: {hint}"))
}

pub(super) fn show_duration(duration: Duration) -> String {
    let mut millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (unit, factor) in UNITS {
        if millis >= factor {
            text.push_str(&format!("{}{unit}", millis / factor));
            millis %= factor;
        }
    }
    if text.is_empty() {
        "0s".to_owned()
    } else {
        text
    }
}

/// `512`, `512B`, `16KiB`, `1MiB`.
pub(super) fn size(text: &str) -> Result<usize, Wrong> {
    let wrong = || {
        Wrong::new(
            format!("{} is no size", shown(text)),
            "write a whole number with B, KiB or MiB, for example \"16KiB\"",
        )
    };
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let number: usize = number.parse().map_err(|_| wrong())?;
    let factor = match unit {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        _ => return Err(wrong()),
    };
    number.checked_mul(factor).ok_or_else(wrong)
}

pub(super) fn show_size(bytes: usize) -> String {
    match bytes {
        0 => "0B".to_owned(),
        bytes if bytes.is_multiple_of(1 << 20) => format!("{}MiB", bytes >> 20),
        bytes if bytes.is_multiple_of(1 << 10) => format!("{}KiB", bytes >> 10),
        bytes => format!("{bytes}B"),
    }
}

pub(super) fn within<V: PartialOrd + Copy>(
    value: V,
    range: &RangeInclusive<V>,
    show: impl Fn(V) -> String,
) -> Result<V, Wrong> {
    if range.contains(&value) {
        return Ok(value);
    }
    Err(Wrong::new(
        format!("{} is out of range", show(value)),
        format!(
            "write a value from {} to {}",
            show(*range.start()),
            show(*range.end())
        ),
    ))
}

/// One of a few words.
pub(super) fn word<V: Copy>(text: &str, words: &[(&str, V)]) -> Result<V, Wrong> {
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
        return Ok(*value);
    }
    let hint = match nearest(text, words.iter().map(|(word, _)| *word)) {
        Some(word) => format!("did you mean \"{word}\"?"),
        None => {
            let words: Vec<_> = words
                .iter()
                .map(|(word, _)| format!("\"{word}\""))
                .collect();
            format!("write one of {}", words.join(", "))
        }
    };
    Err(Wrong::new(format!("{} is not known", shown(text)), hint))
}

/// The candidate that differs from `text` by a typing error or two.
pub(super) fn nearest<'c>(
    text: &str,
    candidates: impl Iterator<Item = &'c str>,
) -> Option<&'c str> {
    // Long enough to be compared is long enough to be a mistake of its own.
    if text.len() > 100 {
        return None;
    }
    let text = text.to_ascii_lowercase();
    candidates
        .map(|candidate| (strsim::damerau_levenshtein(&text, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 8)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// SHA-256 as 64 hexadecimal digits. Not echoed: it may be the key itself, by
/// mistake.
pub(super) fn sha256(text: &str) -> Result<[u8; 32], Wrong> {
    let wrong = || {
        Wrong::new(
            "is no SHA-256",
            "write 64 hexadecimal digits, as made by: printf %s \"$KEY\" | sha256sum",
        )
    };
    let mut bytes = [0; 32];
    if text.len() != 2 * bytes.len() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let digits = std::str::from_utf8(digits).map_err(|_| wrong())?;
        *byte = u8::from_str_radix(digits, 16).map_err(|_| wrong())?;
    }
    Ok(bytes)
}

pub(super) fn phone(text: &str) -> Result<PhoneNumber, Wrong> {
    PhoneNumber::parse(text).map_err(|invalid| {
        let text = invalid.to_string();
        match text.split_once(": ") {
            Some((what, hint)) => Wrong::new(what, hint),
            None => Wrong::new(text, "give it in international form"),
        }
    })
}

/// The name of a key: it stands in the journal and on command lines.
pub(super) fn key_name(text: &str) -> Result<String, Wrong> {
    if is_key_name(text) {
        Ok(text.to_owned())
    } else {
        Err(Wrong::new(
            format!("{} is no name for a key", shown(text)),
            "write 1 to 63 letters, digits and - _ . @",
        ))
    }
}

/// The name of a group that there is, as useradd(8) and systemd allow it.
pub(super) fn group(text: &str) -> Result<String, Wrong> {
    const LONGEST: usize = 31;
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if text.len() > LONGEST || !text.chars().all(allowed) || text.starts_with('-') {
        return Err(Wrong::new(
            format!("{} is no name of a group", shown(text)),
            "write a name as `getent group` shows it, for example \"walinkd\"",
        ));
    }
    match Group::from_name(text) {
        Ok(Some(_)) => Ok(text.to_owned()),
        Ok(None) => Err(Wrong::new(
            format!("there is no group {}", shown(text)),
            format!("create it (groupadd --system {text}) or name another"),
        )),
        Err(error) => Err(Wrong::new(
            format!("the group {} cannot be looked up: {error}", shown(text)),
            format!("check the name service (getent group {text})"),
        )),
    }
}

pub(super) fn device_name(text: &str) -> Result<String, Wrong> {
    const LONGEST: usize = 50;
    let printable = text.trim() == text && !text.chars().any(char::is_control);
    if printable && (1..=LONGEST).contains(&text.chars().count()) {
        Ok(text.to_owned())
    } else {
        Err(Wrong::new(
            format!("{} is no device name", shown(text)),
            "write 1 to 50 printable characters without spaces at the ends",
        ))
    }
}

pub(super) fn path(text: &str) -> Result<PathBuf, Wrong> {
    if text.starts_with('/') && !text.contains('\0') {
        return Ok(PathBuf::from(text));
    }
    let hint = if text.starts_with('~') {
        "write the home directory in full, ~ is not expanded"
    } else {
        "write the whole path, from / on"
    };
    let what = format!("{} is no absolute path", shown(text));
    Err(Wrong::new(what, hint))
}

pub(super) fn socket_path(text: &str) -> Result<PathBuf, Wrong> {
    if text.len() > MAX_SOCKET_PATH {
        return Err(Wrong::new(
            format!("a socket's path of {} bytes is too long", text.len()),
            format!("the system allows {MAX_SOCKET_PATH}: choose a shorter directory"),
        ));
    }
    path(text)
}

/// A level, or directives for tracing's filter.
pub(super) fn log_level(text: &str) -> Result<String, Wrong> {
    let levels = ["off", "error", "warn", "info", "debug", "trace"];
    let hint = "write off, error, warn, info, debug or trace, or \"info,walinkd=debug\"";
    // The filter itself takes any word for the name of a module, and a typing
    // error in a level would silence everything.
    let simple = !text.contains('[');
    for part in text.split(',').filter(|_| simple) {
        let level = part.rsplit('=').next().unwrap_or_default().trim();
        if level.parse::<LevelFilter>().is_err() || level.bytes().all(|b| b.is_ascii_digit()) {
            let what = format!("{} is no log level", shown(level));
            let hint = match nearest(level, levels.into_iter()) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => hint.to_owned(),
            };
            return Err(Wrong::new(what, hint));
        }
    }
    match EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(Wrong::new(
            format!("{} is no log filter", shown(text)),
            hint,
        )),
    }
}

/// As `log.level` takes it.
///
/// # Errors
///
/// What is wrong with it, and what to write.
pub fn checked_log_level(text: &str) -> Result<String, String> {
    log_level(text).map_err(Wrong::told)
}

/// The last moment that is written with a year of four digits, as every date is
/// that walinkd reads: what is later is as good as that.
const LAST: Timestamp = Timestamp::from_millis(253_402_300_799_999);

/// The first moment past a date (in UTC), or the moment itself.
pub(super) fn end_of(date: &Datetime) -> Result<Timestamp, Wrong> {
    unbounded_end_of(date).map(|end| end.min(LAST))
}

fn unbounded_end_of(date: &Datetime) -> Result<Timestamp, Wrong> {
    let wrong = |what: &str| {
        let hint = "write a date, 2027-01-01, or a moment with its offset, 2027-01-01T12:00:00Z";
        Wrong::new(what, hint)
    };
    let day = date.date.ok_or_else(|| wrong("is a time without a date"))?;
    let day = NaiveDate::from_ymd_opt(day.year.into(), day.month.into(), day.day.into())
        .ok_or_else(|| wrong("is no day of the calendar"))?;
    let Some(time) = date.time else {
        let next = day
            .checked_add_days(Days::new(1))
            .ok_or_else(|| wrong("is no day of the calendar"))?;
        let end = Utc.from_utc_datetime(&next.and_time(NaiveTime::MIN));
        return Ok(Timestamp::from_millis(end.timestamp_millis()));
    };
    let minutes = match date.offset {
        Some(Offset::Z) => 0,
        Some(Offset::Custom { minutes }) => i32::from(minutes),
        None => return Err(wrong("is a moment without an offset from UTC")),
    };
    // A leap second has no place of its own in Unix time.
    let second = u32::from(time.second.unwrap_or(0)).min(59);
    let time = NaiveTime::from_hms_opt(time.hour.into(), time.minute.into(), second)
        .ok_or_else(|| wrong("is no time of the day"))?;
    let moment = FixedOffset::east_opt(minutes * 60)
        .and_then(|offset| offset.from_local_datetime(&day.and_time(time)).single())
        .ok_or_else(|| wrong("has no such offset from UTC"))?;
    Ok(Timestamp::from_millis(moment.timestamp_millis()))
}
