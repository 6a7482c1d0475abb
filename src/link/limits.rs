//! Numbers for which WhatsApp gives no pairing code.

use super::{
    candidate::{Intent, Phase},
    handle::PairError,
    machine::{Machine, Now, Weight},
};
use crate::{wa::CodeRefusal, wire::PhoneNumber};
use std::time::Duration;

/// When WhatsApp limits codes without saying for how long.
const LIMITED_FOR: Duration = Duration::from_secs(5 * 60);

/// WhatsApp uses one refusal for both.
const LIMITED: &str = "it limits them, or does not know the number; check the number, scan \
    the QR code instead, or try again later";

impl Machine {
    /// When WhatsApp gives codes for this number again, as far as it said.
    pub(super) fn limited_until(&self, phone: &PhoneNumber, now: Now) -> Option<Duration> {
        let until = self.limited.get(phone.digits()).copied()?;
        (until > now.mono).then_some(until)
    }

    pub(super) fn code_refused(&mut self, refusal: CodeRefusal, now: Now) {
        let Some(candidate) = &mut self.candidate else {
            return;
        };
        let Intent::Code { phone, .. } = &candidate.intent else {
            return;
        };
        if !matches!(candidate.phase, Phase::Connecting { .. }) {
            return;
        }
        let phone = phone.clone();
        let (code, error) = if refusal.limited {
            let retry_after = refusal.backoff.unwrap_or(LIMITED_FOR);
            self.limited.retain(|_, until| *until > now.mono);
            self.limited
                .insert(phone.digits().to_owned(), now.mono + retry_after);
            (
                "pairing_limited",
                PairError::Limited {
                    message: LIMITED.to_owned(),
                    retry_after,
                },
            )
        } else {
            ("pairing_refused", PairError::Refused(refusal.message))
        };
        let message = error.to_string();
        self.answer_waiters(Err(error.clone()));
        self.explain_pairing(code, &message);
        self.record(
            &format!("pairing.{}", &code["pairing_".len()..]),
            Weight::Warning,
            message,
        );
        if self.live.is_some() {
            self.end_candidate(error);
        } else if let Some(candidate) = &mut self.candidate {
            // The same session offers QR codes too.
            candidate.intent = Intent::Qr;
            self.show_qr(now);
        }
    }
}
