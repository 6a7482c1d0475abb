//! Phone numbers and custom pairing codes, as people write them.

use walinkd::wire::{PhoneNumber, custom_code};

pub(super) const WORDS: &[&str] = &[
    "+", "00", "0", "62", "1", "(", ")", "-", ".", " ", "\u{a0}", "٣", "９", "²", "\u{200e}",
    "\u{0}", "ext", ",",
];

pub(super) const CODE_WORDS: &[&str] = &[
    "-", " ", "ABCD", "abcd", "1234", "0", "I", "O", "U", "Ä", "ß", "ſ", "\u{212a}", "９",
];

/// What is taken is E.164, whatever way it is written.
pub(super) fn number(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let number = match PhoneNumber::parse(text) {
        Ok(number) => number,
        Err(why) => return assert!(!why.to_string().is_empty()),
    };
    let digits = number.digits();
    assert!((7..=15).contains(&digits.len()), "{digits}");
    assert!(digits.bytes().all(|b| b.is_ascii_digit()), "{digits}");
    assert!(!digits.starts_with('0'), "{digits}");
    for written in [digits.to_owned(), format!("+{digits}")] {
        assert_eq!(PhoneNumber::parse(&written), Ok(number.clone()));
    }
    let json = serde_json::to_string(&number).expect("a text");
    assert_eq!(json, format!("\"{digits}\""));
    assert_eq!(
        serde_json::from_str::<PhoneNumber>(&json).expect("a number"),
        number
    );
    let shown = format!("{number} {number:?}");
    assert!(!shown.contains(digits), "it shows itself");
    assert!(number.to_string().matches('*').count() >= 4, "{shown}");
}

/// What is taken is eight characters of WhatsApp's alphabet.
pub(super) fn code(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    if let Ok(code) = custom_code(text) {
        assert_eq!(code.len(), 8, "{code}");
        let known = |b: u8| matches!(b, b'1'..=b'9' | b'A'..=b'Z') && !b"IOU".contains(&b);
        assert!(code.bytes().all(known), "{code}");
        let (head, tail) = code.split_at(4);
        assert_eq!(custom_code(&format!("{head}-{tail}")), Ok(code.clone()));
    }
}
