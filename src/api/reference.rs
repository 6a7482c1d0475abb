//! The calls as the manual tells of them.

use super::table::{Reach, Right, table};
use std::time::Duration;

/// A call, described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub method: String,
    pub path: &'static str,
    /// Whether it can be made without a key.
    pub open: bool,
    /// Whether it takes the right to manage.
    pub manage: bool,
    /// Whether only the control socket has it.
    pub control_only: bool,
    /// What `?wait=` is cut to; `None` where a call knows no `wait`.
    pub longest_wait: Option<Duration>,
    /// What it does or gives, in sentences.
    pub summary: &'static str,
}

/// Every call there is.
pub fn reference() -> Vec<Call> {
    table()
        .into_iter()
        .map(|route| Call {
            method: route.method.to_string(),
            path: route.path,
            open: route.right == Right::Open,
            manage: route.right == Right::Manage,
            control_only: route.reach == Reach::ControlOnly,
            longest_wait: Some(route.longest_wait).filter(|wait| !wait.is_zero()),
            summary: route.summary,
        })
        .collect()
}
