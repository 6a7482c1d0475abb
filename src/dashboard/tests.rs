use super::*;
use std::collections::BTreeSet;

/// What stands between a line that begins so and the next that begins otherwise.
fn part<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text.split_once(from).expect("its beginning");
    rest.split_once(to).expect("its end").0
}

#[test]
fn the_browser_may_run_what_is_in_the_page_and_nothing_else() {
    for entrance in [Entrance::Key, Entrance::Peer] {
        let html = &page(entrance).html;
        assert!(!html.contains("{{"), "a placeholder is left");
        let style = part(html, "<style>", "</style>");
        let script = part(html, "<script type=\"module\">", "</script>");
        for (kind, text) in [("style", style), ("script", script)] {
            let allowed = format!("{kind}-src 'sha256-{}';", digest(text));
            assert!(policy().contains(&allowed), "{kind}");
        }
        assert_eq!(html.matches("<script").count(), 1);
        assert_eq!(html.matches("<style").count(), 1);
        for banned in [
            " style=\"",
            " onclick",
            "innerHTML",
            "src=\"http",
            "url(http",
        ] {
            assert!(!html.contains(banned), "{banned}");
        }
    }
    for promise in [
        "default-src 'none'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy().contains(promise), "{promise}");
    }
    assert!(!policy().contains("unsafe"));
}

#[test]
fn either_entrance_has_its_page() {
    let (key, peer) = (page(Entrance::Key), page(Entrance::Peer));
    assert!(key.html.contains("data-entrance=\"key\""));
    assert!(peer.html.contains("data-entrance=\"peer\""));
    assert_ne!(key.etag, peer.etag);
}

#[test]
fn both_languages_say_the_same_things() {
    let words = SCRIPTS[0];
    let keys = |language: &str| -> Vec<&str> {
        let texts = part(words, &format!("\n  {language}: {{\n"), "\n  },\n");
        let lines = texts.lines().map(str::trim);
        lines
            .filter_map(|line| Some(line.split_once(':')?.0))
            .collect()
    };
    assert_eq!(keys("en"), keys("id"));
    let known: BTreeSet<&str> = keys("en").into_iter().collect();
    let used = HTML.split("data-word=\"").skip(1);
    let used = used.chain(HTML.split("data-label=\"").skip(1));
    for word in used.filter_map(|rest| Some(rest.split_once('"')?.0)) {
        assert!(known.contains(word), "no words for {word}");
    }
    for script in SCRIPTS {
        for rest in script.split("word('").skip(1) {
            let word = rest.split_once('\'').expect("a name").0;
            assert!(known.contains(word), "no words for {word}");
        }
    }
}

#[test]
fn what_to_do_now_is_said_in_both_languages() {
    let view = include_str!("../link/view.rs");
    let actions = part(view, "fn user_action", "fn warnings");
    let told: BTreeSet<&str> = actions
        .split('"')
        .skip(1)
        .step_by(2)
        .filter(|text| text.contains(' '))
        .collect();
    assert!(told.len() > 10, "{told:?}");
    let known = part(SCRIPTS[0], "const ACTIONS = {", "\n};");
    let known: BTreeSet<String> = known
        .lines()
        .filter_map(|line| line.strip_prefix("  '")?.split_once("': {"))
        .map(|(text, _)| text.replace("\\'", "'"))
        .collect();
    let known: BTreeSet<&str> = known.iter().map(String::as_str).collect();
    assert_eq!(known, told, "src/dashboard/page/words.js has the actions");
}
