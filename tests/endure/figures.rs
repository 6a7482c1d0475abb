//! What a process holds.

use std::fs;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) descriptors: usize,
    pub(crate) threads: u64,
    /// KiB that are resident.
    pub(crate) memory: u64,
}

/// What a settled daemon may have more than when it had just settled first.
const MORE_DESCRIPTORS: usize = 6;
/// The pool for blocking work keeps its threads for a while, and a pairing beside
/// the link has a store with threads of its own.
const MORE_THREADS: u64 = 8;
const MORE_MEMORY: u64 = 24 * 1024;

impl Figures {
    pub(crate) fn of(pid: i32) -> Self {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it lives");
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|rest| rest.split_whitespace().next());
            number.expect("a field").parse().expect("a number")
        };
        Self {
            descriptors: fs::read_dir(format!("/proc/{pid}/fd"))
                .expect("it lives")
                .count(),
            threads: field("Threads:"),
            memory: field("VmRSS:"),
        }
    }

    /// What the descriptors are, for people.
    pub(crate) fn descriptors(pid: i32) -> String {
        let listed = fs::read_dir(format!("/proc/{pid}/fd")).expect("it lives");
        let mut names: Vec<_> = listed
            .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
            .map(|name| name.display().to_string())
            .collect();
        names.sort();
        names.join("\n")
    }

    pub(crate) fn is_back_at(&self, base: &Self) -> bool {
        self.descriptors <= base.descriptors + MORE_DESCRIPTORS
            && self.threads <= base.threads + MORE_THREADS
            && self.memory <= base.memory + MORE_MEMORY
    }
}
