//! The little of roff that the pages need: man(7), groff_man(7).

/// Text as it stands, in the middle of a line or as a macro's argument in
/// quotes. Every minus is one that can be copied, and no line begins a macro.
pub(super) fn text(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '\\' => escaped.push_str("\\e"),
            '-' => escaped.push_str("\\-"),
            '\'' => escaped.push_str("\\(aq"),
            '`' => escaped.push_str("\\(ga"),
            '"' => escaped.push_str("\\(dq"),
            '^' => escaped.push_str("\\(ha"),
            '~' => escaped.push_str("\\(ti"),
            '…' => escaped.push_str("\\&..."),
            _ => escaped.push(c),
        }
    }
    if escaped.starts_with('.') {
        escaped.insert_str(0, "\\&");
    }
    escaped
}

pub(super) fn bold(literal: &str) -> String {
    format!("\\fB{}\\fR", text(literal))
}

pub(super) fn italic(placeholder: &str) -> String {
    format!("\\fI{}\\fR", text(placeholder))
}

/// A paragraph with a hanging tag.
pub(super) fn tagged(tag: &str, paragraphs: &[&str]) -> String {
    let paragraphs: Vec<String> = paragraphs.iter().map(|each| filled(each)).collect();
    format!(".TP\n{tag}\n{}", paragraphs.join(".IP\n"))
}

/// Sentences, each on a line of its own, so that a change shows as one line.
pub(super) fn filled(sentences: &str) -> String {
    let mut lines = String::new();
    for sentence in sentences.split_inclusive(". ") {
        lines.push_str(&text(sentence.trim()));
        lines.push('\n');
    }
    lines
}

/// What a reader sees, near enough to look for words in it.
pub(super) fn plain(page: &str) -> String {
    let mut plain = page.to_owned();
    for (escape, character) in [
        ("\\fB", ""),
        ("\\fI", ""),
        ("\\fR", ""),
        ("\\-", "-"),
        ("\\&", ""),
        ("\\(aq", "'"),
        ("\\(dq", "\""),
        ("\\e", "\\"),
    ] {
        plain = plain.replace(escape, character);
    }
    plain
}
