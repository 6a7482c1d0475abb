//! Started on a terminal, the daemon shows there what there is to scan.

use crate::link::Handle;
use std::time::Duration;

/// Turns a QR code's text into what to print, with how to scan it.
pub type Draw = Box<dyn Fn(&str) -> String + Send + Sync>;

/// Whoever has the terminal open is asking: codes go on while it is.
const ASK_EVERY: Duration = Duration::from_secs(60);

/// Prints each QR code and pairing code as it comes; the log beside it tells
/// the rest.
#[expect(clippy::print_stdout, reason = "this is what the terminal is for")]
pub(super) async fn show(link: Handle, draw: Draw) {
    let mut snapshots = link.watch();
    let mut ask = tokio::time::interval(ASK_EVERY);
    let mut shown = None;
    let mut asked = false;
    loop {
        let snapshot = snapshots.borrow_and_update().clone();
        let code = snapshot.qr.as_ref().map(|qr| qr.code.clone()).or_else(|| {
            snapshot
                .pairing
                .as_ref()
                .map(|code| code.pairing_code.clone())
        });
        if code != shown {
            if let Some(qr) = &snapshot.qr {
                println!("\n{}\n", draw(&qr.code));
            } else if let Some(code) = &snapshot.pairing {
                println!("\nPairing code: {}\n", code.pairing_code);
                println!(
                    "Enter it: WhatsApp on the phone > Linked devices > Link a device > Link with phone number instead.\n"
                );
            }
            shown = code;
        }
        if snapshot.passkey.is_some() && !asked {
            println!("\nWhatsApp asks for the account's passkey before it links.");
            println!("In another terminal: walinkd passkey\n");
        }
        asked = snapshot.passkey.is_some();
        tokio::select! {
            changed = snapshots.changed() => if changed.is_err() { return },
            _ = ask.tick() => link.asked(),
        }
    }
}
