//! Numbers for which WhatsApp gives no pairing code, and those that it is not
//! asked about so that it will not come to that.

use super::{
    candidate::{Intent, Phase},
    handle::PairError,
    machine::{Machine, Now, Weight},
};
use crate::{wa::CodeRefusal, wire::PhoneNumber};
use std::time::Duration;

/// When WhatsApp limits codes without saying for how long.
const LIMITED_FOR: Duration = Duration::from_secs(5 * 60);

/// So many codes for one number in [`WINDOW`]: enough for wrong entries and
/// second thoughts. WhatsApp does not say how many it allows; once it has had
/// enough it gives none for an hour or longer.
pub(super) const CODES: usize = 5;
pub(super) const WINDOW: Duration = Duration::from_secs(10 * 60);

/// WhatsApp uses one refusal for both.
const LIMITED: &str = "it limits them, or does not know the number; check the number, scan \
    the QR code instead, or try again later";

impl Machine {
    /// Why there is no code to be had for this number now.
    pub(super) fn no_code_for(&self, phone: &PhoneNumber, now: Now) -> Option<PairError> {
        let left = |until: Duration| until.checked_sub(now.mono).filter(|left| !left.is_zero());
        let limited = self.limited.get(phone.digits()).copied();
        if let Some(retry_after) = limited.and_then(left) {
            let message = "it said so before; scan the QR code instead, or try again later";
            return Some(PairError::Limited {
                message: message.to_owned(),
                retry_after,
            });
        }
        let given = self.codes_given.get(phone.digits())?;
        let oldest = given.iter().rev().nth(CODES - 1).copied()?;
        let retry_after = left(oldest + WINDOW)?;
        Some(PairError::Spaced { retry_after })
    }

    /// Counts the code that WhatsApp is being asked for, whether or not one
    /// comes.
    pub(super) fn count_code(&mut self, now: Now) {
        let Some(candidate) = &mut self.candidate else {
            return;
        };
        let Intent::Code { phone, .. } = &candidate.intent else {
            return;
        };
        if std::mem::replace(&mut candidate.counted, true) {
            return;
        }
        self.codes_given.retain(|_, given| {
            given.retain(|at| *at + WINDOW > now.mono);
            !given.is_empty()
        });
        let given = self.codes_given.entry(phone.digits().to_owned());
        given.or_default().push(now.mono);
    }

    /// What is to be shown: a QR code, which costs no request, where no code is
    /// to be had. Beside a live link only the code was wanted, so then that is
    /// the error.
    pub(super) fn affordable(&mut self, intent: Intent, now: Now) -> Result<Intent, PairError> {
        let Intent::Code { phone, .. } = &intent else {
            return Ok(intent);
        };
        let Some(why) = self.no_code_for(phone, now) else {
            return Ok(intent);
        };
        let message = why.to_string();
        self.explain_pairing("pairing_limited", &message);
        self.record("pairing.limited", Weight::Warning, message);
        match self.live {
            Some(_) => Err(why),
            None => Ok(Intent::Qr),
        }
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
