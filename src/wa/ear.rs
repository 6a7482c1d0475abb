//! Listens to the library's events and stanzas, and says what they mean.
//!
//! The library's events alone are not enough: some ends come without one, and
//! `Connected` comes late or never. The login and the ends of a session are
//! therefore read off the stanzas themselves.

use super::{
    passkey::heart,
    signal::{End, Linked, Secret, Signal},
    tasks,
};
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use whatsapp_rust::{
    OwnedNodeRef,
    wacore::types::events::{ConnectFailureReason, Event, EventHandler, EventInterest, EventKind},
};

/// The ear of one session.
pub(super) struct Ear {
    generation: u64,
    signals: mpsc::Sender<(u64, Signal)>,
    /// The first decisive word on why the session ends.
    end: Mutex<Option<End>>,
    logged_in: AtomicBool,
    paired: AtomicBool,
    /// Rung when the session should look at `end` or `logged_in`.
    pub(super) bell: Notify,
    /// Set while the session itself is leaving, so that the farewell is not
    /// taken for a removal by the phone.
    leaving: AtomicBool,
    /// Ends the library's rotation of QR codes.
    rotation: Mutex<Option<CancellationToken>>,
    /// WhatsApp has asked for the passkey: no QR code is wanted any more.
    gated: AtomicBool,
}

impl Ear {
    pub(super) fn new(generation: u64, signals: mpsc::Sender<(u64, Signal)>) -> Arc<Self> {
        Arc::new(Self {
            generation,
            signals,
            end: Mutex::new(None),
            logged_in: AtomicBool::new(false),
            paired: AtomicBool::new(false),
            bell: Notify::new(),
            leaving: AtomicBool::new(false),
            rotation: Mutex::new(None),
            gated: AtomicBool::new(false),
        })
    }

    /// Why the session is ending, as far as WhatsApp said.
    pub(super) fn end(&self) -> Option<End> {
        self.end
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn logged_in(&self) -> bool {
        self.logged_in.load(Ordering::Acquire)
    }

    /// Whether a phone has accepted this device in this session.
    pub(super) fn paired(&self) -> bool {
        self.paired.load(Ordering::Acquire)
    }

    /// From now on the session is closing by its own will.
    pub(super) fn leave(&self) {
        self.leaving.store(true, Ordering::Release);
    }

    /// Ends the rotation of QR codes: it would end the session with the last
    /// one, and holds on to the session until then.
    pub(super) fn stop_rotation(&self) {
        let rotation = self.rotation();
        if let Some(rotation) = &*rotation {
            rotation.cancel();
        }
    }

    fn rotation(&self) -> MutexGuard<'_, Option<CancellationToken>> {
        self.rotation.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From a library callback, which must not wait. The owner reads at once;
    /// only a stuck one lets the channel fill, and then the watchdog acts.
    fn say(&self, signal: Signal) {
        if self.signals.try_send((self.generation, signal)).is_err() {
            tracing::warn!("the owner task does not listen; a signal of the session is lost");
        }
    }

    /// The first word counts: a removal is not overwritten by the closing of
    /// the stream that follows it.
    fn ends(&self, end: End) {
        let mut slot = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.is_none() {
            *slot = Some(end);
            drop(slot);
            self.bell.notify_one();
        }
    }

    /// Stanzas, before the library acts on them.
    fn stanza(&self, node: &OwnedNodeRef) {
        let node = node.get();
        match node.tag.as_ref() {
            "success" => {
                self.logged_in.store(true, Ordering::Release);
                self.bell.notify_one();
            }
            "stream:error" => {
                let conflict = node.get_optional_child("conflict");
                let kind = conflict
                    .and_then(|child| child.get_attr("type"))
                    .map(|v| v.as_str().into_owned());
                let code = node
                    .get_attr("code")
                    .and_then(|v| v.as_str().parse::<u16>().ok());
                // Only what WhatsApp says when the phone removes a device wipes
                // at once; what nobody knows yet is tried again like an error.
                match (kind.as_deref().filter(|kind| !kind.is_empty()), code) {
                    (Some("replaced"), _) | (None, Some(409)) => self.ends(End::Replaced),
                    (Some("device_removed"), _) | (None, Some(516)) => self.ends(End::Removed),
                    (_, Some(401)) => self.ends(End::Refused {
                        code: 401,
                        message: None,
                    }),
                    (Some(_), code) => self.ends(End::StreamError(code.unwrap_or(0))),
                    (None, Some(515)) => self.ends(End::Restart),
                    (None, Some(code)) => self.ends(End::StreamError(code)),
                    (None, None) if node.get_optional_child("xml-not-well-formed").is_some() => {
                        self.ends(End::StreamError(400));
                    }
                    // A stanza still owed an acknowledgement: the stream's end
                    // follows by itself, if at all.
                    (None, None) => {}
                }
            }
            "xmlstreamend" => self.ends(End::StreamEnd),
            _ => {}
        }
    }
}

impl EventHandler for Ear {
    fn handle_event(&self, event: Arc<Event>) {
        match &*event {
            Event::RawNode(node) => self.stanza(node),
            Event::PairingQrCode(qr) => {
                // The rotation itself is what calls.
                if let Some(rotation) = tasks::current() {
                    *self.rotation() = Some(rotation);
                }
                if self.gated.load(Ordering::Acquire) {
                    self.stop_rotation();
                    return;
                }
                self.say(Signal::Qr {
                    code: Secret(qr.code.clone()),
                    valid_for: qr.timeout,
                });
            }
            // With a pairing code out, the socket stays and so does the session.
            Event::PairingQrCodesExhausted(spent) if spent.disconnected => {
                self.ends(End::QrExhausted);
            }
            Event::PairingCodeRefresh(_) => self.say(Signal::CodeSpent),
            Event::PairPasskeyRequest(request) => {
                // The step may take longer than the codes last.
                self.gated.store(true, Ordering::Release);
                self.stop_rotation();
                let options = Secret(request.request_options_json.clone());
                self.say(Signal::PasskeyAsked(options));
            }
            Event::PairPasskeyConfirmation(confirmation) => self.say(Signal::PasskeyCode {
                code: Secret(confirmation.code.clone()),
                compare: !confirmation.skip_handoff_ux,
            }),
            Event::PairPasskeyError(error) => {
                self.say(Signal::PasskeyRefused(heart(&error.error)));
            }
            Event::PairSuccess(success) => {
                self.paired.store(true, Ordering::Release);
                self.say(Signal::Paired(Linked {
                    jid: success.id.to_string(),
                    number: success.id.user.to_string(),
                    push_name: None,
                }));
            }
            Event::PairError(error) => self.say(Signal::PairFailed(error.error.clone())),
            Event::SelfPushNameUpdated(update) if !update.new_name.is_empty() => {
                self.say(Signal::PushName(update.new_name.clone()));
            }
            Event::LoggedOut(out) if !self.leaving.load(Ordering::Acquire) => {
                self.ends(if out.on_connect {
                    End::Refused {
                        code: reason_code(&out.reason),
                        message: out.logout_message.as_ref().and_then(|m| m.header.clone()),
                    }
                } else {
                    End::Removed
                });
            }
            Event::StreamReplaced(_) => self.ends(End::Replaced),
            Event::TemporaryBan(ban) => self.ends(End::Banned {
                lasts: ban.expire.to_std().ok(),
                message: ban.message.clone().or_else(|| Some(ban.code.to_string())),
            }),
            Event::ClientOutdated(_) => self.ends(End::Outdated),
            Event::ConnectFailure(failure) => {
                let message = failure.message.clone();
                self.ends(match reason_code(&failure.reason) {
                    // A ban whose length the library could not read.
                    402 => End::Banned {
                        lasts: None,
                        message,
                    },
                    code => End::Refused { code, message },
                });
            }
            _ => {}
        }
    }

    fn interest(&self) -> EventInterest {
        EventInterest::of(&[
            EventKind::RawNode,
            EventKind::PairingQrCode,
            EventKind::PairingQrCodesExhausted,
            EventKind::PairingCodeRefresh,
            EventKind::PairPasskeyRequest,
            EventKind::PairPasskeyConfirmation,
            EventKind::PairPasskeyError,
            EventKind::PairSuccess,
            EventKind::PairError,
            EventKind::SelfPushNameUpdated,
            EventKind::LoggedOut,
            EventKind::StreamReplaced,
            EventKind::TemporaryBan,
            EventKind::ClientOutdated,
            EventKind::ConnectFailure,
        ])
    }
}

fn reason_code(reason: &ConnectFailureReason) -> u16 {
    u16::try_from(reason.code()).unwrap_or(0)
}
