//! The links of the pages lead somewhere: to a heading, or to a file that is there.

use super::root;
use std::{collections::BTreeSet, fs};

const PAGES: [&str; 6] = [
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "tests/sandbox/README.md",
];

/// What a heading is reached by.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().replace(' ', "-")
}

/// A page's text without its blocks of code.
fn prose(text: &str) -> String {
    let mut fenced = false;
    let lines = text.lines().filter(|line| {
        let fence = line.starts_with("```");
        fenced ^= fence;
        !fenced && !fence && !line.starts_with("    ")
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn targets(text: &str) -> Vec<&str> {
    let links = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    let pictures = text.split("src=\"").skip(1);
    links
        .chain(pictures.filter_map(|rest| rest.split('"').next()))
        .collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut checked = 0;
    for page in PAGES {
        let file = root().join(page);
        let text = prose(&fs::read_to_string(&file).expect("it is there"));
        let headings = text.lines().filter(|line| line.starts_with('#'));
        let anchors: BTreeSet<String> = headings
            .map(|line| anchor(line.trim_start_matches('#')))
            .collect();
        for target in targets(&text) {
            if target.contains("://") {
                continue;
            }
            checked += 1;
            match target.strip_prefix('#') {
                Some(name) => assert!(anchors.contains(name), "{page}: {target}: {anchors:?}"),
                None => {
                    let there = file.parent().expect("a folder").join(target);
                    assert!(there.exists(), "{page}: {target}");
                }
            }
        }
    }
    assert!(checked > 30, "only {checked}");
}
