//! Whatever is written there, it ends in a configuration or in faults.

use super::Case;
use crate::config::{keys, load};
use proptest::prelude::*;

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".*") {
        let _ = load(&Case::new(text).sources);
    }

    #[test]
    fn no_value_makes_it_panic(
        key in 0..keys::KEYS.len(),
        value in "(\"[ -~]{0,20}\"|\\[\"[ -~]{0,12}\"\\]|[0-9]{1,25}|[0-9]{4}-[0-9]{2}-[0-9]{2}|\\[\\[\\]\\]|\\{ *[a-z]{0,4} *= *1 *\\})",
        noise in "[\\[\\]{}\"'=#.a-z0-9\n\r\t é-]{0,30}",
    ) {
        let text = format!("{} = {value}\n{noise}", keys::KEYS[key].field.name);
        if let Err(faults) = load(&Case::new(text).sources) {
            prop_assert!(faults.iter().count() > 0);
            prop_assert_eq!(faults.to_string().lines().count(), faults.iter().count());
        }
    }

    #[test]
    fn no_environment_makes_it_panic(value in ".{0,40}", name in 0_usize..5) {
        let name = ["PORT", "API_KEY", "USE_PAIRING_CODE", "PHONE_NUMBER", "STATE_DIRECTORY"][name];
        let _ = load(&Case::without_file().env(name, value).sources);
    }
}
