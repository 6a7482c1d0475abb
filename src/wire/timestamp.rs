//! Points in time as the API spells them: `2025-12-27T05:00:00.000Z`.

use chrono::{DateTime, SecondsFormat, Utc};
use nix::time::{ClockId, clock_gettime};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::{borrow::Cow, fmt, time::SystemTime};

/// Milliseconds since the Unix epoch, UTC; RFC 3339 with three decimals in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The wall clock: the only place it is read.
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let since = since.unwrap_or_default();
        Self(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds that this is ahead of the time since the machine started, its
    /// sleep included: another number when the wall clock has been set.
    pub fn ahead_of_boot(self) -> i64 {
        // There is that clock since Linux 2.6.39.
        let since = clock_gettime(ClockId::CLOCK_BOOTTIME)
            .map_or(0, |time| time.tv_sec() * 1_000 + time.tv_nsec() / 1_000_000);
        self.0.saturating_sub(since)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Out of chrono's range only for clocks some 260,000 years off.
        let time = DateTime::<Utc>::from_timestamp_millis(self.0).unwrap_or_default();
        f.write_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        DateTime::parse_from_rfc3339(&text)
            .map(|time| Self(time.timestamp_millis()))
            .map_err(D::Error::custom)
    }
}

impl JsonSchema for Timestamp {
    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "UTC, with milliseconds.",
            "type": "string",
            "format": "date-time",
            "examples": ["2025-12-27T05:00:00.000Z"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_writes() {
        let time = Timestamp::from_millis(1_766_811_600_000);
        let json = serde_json::to_string(&time).expect("a timestamp is JSON");
        assert_eq!(json, "\"2025-12-27T05:00:00.000Z\"");
        let back: Timestamp = serde_json::from_str(&json).expect("and back");
        assert_eq!(back, time);
    }
}
