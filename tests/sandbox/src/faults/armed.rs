//! Whom a fault hits, and the ones in waiting. A fault is armed for some
//! occurrences of its point and taken by the connections that come there; a
//! fault of a live connection also hits the ones that are open already.

use super::{Fault, Point};
use serde::{Deserialize, Serialize};

/// Whom a fault hits, and how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Target {
    who: Who,
    standing: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// Everybody.
    All,
    /// The next so many to come to the fault's point: connections, pings,
    /// requests for a code.
    Next(u32),
    /// The device with this JID.
    Device(String),
}

impl Target {
    pub fn new(who: Who) -> Self {
        Self {
            who,
            standing: false,
        }
    }

    /// Every connection open now; for a fault on the way in, the next one.
    pub fn all() -> Self {
        Self::new(Who::All)
    }

    /// The next `n` to come to the fault's point.
    pub fn next(n: u32) -> Self {
        Self::new(Who::Next(n))
    }

    /// The device's open connection, else its next one.
    pub fn device(jid: impl Into<String>) -> Self {
        Self::new(Who::Device(jid.into()))
    }

    /// Not only once: until the faults are cleared, for everybody or the
    /// device. Says nothing more about [`Target::next`], which counts.
    pub fn standing(mut self) -> Self {
        self.standing = true;
        self
    }

    pub(crate) fn reaches(&self, device: Option<&str>) -> bool {
        match &self.who {
            Who::All | Who::Next(_) => true,
            Who::Device(jid) => device == Some(jid),
        }
    }

    /// Whether connections that are open already are meant.
    pub(crate) fn hits_open(&self) -> bool {
        !matches!(self.who, Who::Next(_))
    }
}

/// A fault that waits to be met.
#[derive(Clone, Debug, Serialize)]
pub struct ArmedFault {
    pub id: u64,
    pub fault: Fault,
    pub target: Target,
    /// How often it still applies; without end when standing.
    pub remaining: Option<u32>,
}

impl ArmedFault {
    fn meets(&self, point: Point, device: Option<&str>) -> bool {
        self.fault.point() == point && self.target.reaches(device)
    }
}

/// What became of an injected fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Injected {
    /// How many open connections it hit at once.
    pub hit: usize,
    /// Its number while it is armed for more.
    pub armed: Option<u64>,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FaultError {
    #[error("at that point the server does not know yet which device it talks to")]
    DeviceUnknown,
}

#[derive(Default)]
pub(crate) struct Faults {
    armed: Vec<ArmedFault>,
    last: u64,
}

impl Faults {
    pub(crate) fn check(fault: &Fault, target: &Target) -> Result<(), FaultError> {
        if matches!(target.who, Who::Device(_)) && !fault.point().knows_device() {
            return Err(FaultError::DeviceUnknown);
        }
        Ok(())
    }

    /// Arms `fault` for what is still to come, after it hit `hit` connections.
    pub(crate) fn arm(&mut self, fault: Fault, target: Target, hit: usize) -> Option<u64> {
        let remaining = match target.who {
            Who::Next(n) => Some(n),
            _ if target.standing => None,
            // What was meant has been hit.
            Who::All if fault.point() == Point::Live => return None,
            Who::Device(_) if hit > 0 => return None,
            _ => Some(1),
        };
        if remaining == Some(0) {
            return None;
        }
        self.last += 1;
        self.armed.push(ArmedFault {
            id: self.last,
            fault,
            target,
            remaining,
        });
        Some(self.last)
    }

    /// The fault that a connection meets at `point`, oldest first.
    pub(crate) fn take(&mut self, point: Point, device: Option<&str>) -> Option<Fault> {
        let at = self
            .armed
            .iter()
            .position(|armed| armed.meets(point, device))?;
        Some(self.spend(at))
    }

    /// All the faults that a connection meets at `point`, each once.
    pub(crate) fn take_all(&mut self, point: Point, device: Option<&str>) -> Vec<Fault> {
        // From the back, since spending may remove.
        let met: Vec<_> = (0..self.armed.len())
            .rev()
            .filter(|at| self.armed[*at].meets(point, device))
            .collect();
        let mut faults: Vec<_> = met.into_iter().map(|at| self.spend(at)).collect();
        faults.reverse();
        faults
    }

    fn spend(&mut self, at: usize) -> Fault {
        let armed = &mut self.armed[at];
        let fault = armed.fault.clone();
        if let Some(remaining) = &mut armed.remaining {
            *remaining -= 1;
            if *remaining == 0 {
                self.armed.remove(at);
            }
        }
        fault
    }

    pub(crate) fn armed(&self) -> &[ArmedFault] {
        &self.armed
    }

    pub(crate) fn clear(&mut self) {
        self.armed.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::super::Stage;
    use super::*;

    #[test]
    fn next_counts_down() {
        let mut faults = Faults::default();
        faults.arm(Fault::NoRefs, Target::next(2), 0);
        assert_eq!(faults.take(Point::Tcp, None), None);
        assert_eq!(faults.take(Point::Refs, None), Some(Fault::NoRefs));
        assert_eq!(faults.take(Point::Refs, None), Some(Fault::NoRefs));
        assert_eq!(faults.take(Point::Refs, None), None);
    }

    #[test]
    fn standing_stays_until_cleared() {
        let mut faults = Faults::default();
        faults.arm(Fault::IgnorePings, Target::all().standing(), 0);
        for _ in 0..3 {
            assert!(faults.take(Point::Ping, Some("x")).is_some());
            assert_eq!(faults.take_all(Point::Ping, Some("x")).len(), 1);
        }
        faults.clear();
        assert!(faults.take(Point::Ping, Some("x")).is_none());
    }

    #[test]
    fn several_are_met_in_order() {
        let mut faults = Faults::default();
        faults.arm(Fault::GarbageFrame, Target::next(1), 0);
        faults.arm(Fault::NoRefs, Target::next(1), 0);
        faults.arm(Fault::XmlStreamEnd, Target::next(1), 0);
        assert_eq!(
            faults.take_all(Point::Live, None),
            [Fault::GarbageFrame, Fault::XmlStreamEnd]
        );
        assert_eq!(faults.armed().len(), 1);
    }

    #[test]
    fn a_device_is_met_wherever_it_is() {
        let mut faults = Faults::default();
        assert_eq!(
            faults.arm(Fault::GarbageFrame, Target::device("a"), 1),
            None
        );
        assert!(
            faults
                .arm(Fault::GarbageFrame, Target::device("a"), 0)
                .is_some()
        );
        assert_eq!(faults.take(Point::Live, Some("b")), None);
        assert_eq!(
            faults.take(Point::Live, Some("a")),
            Some(Fault::GarbageFrame)
        );
        assert_eq!(faults.take(Point::Live, Some("a")), None);
    }

    #[test]
    fn a_device_cannot_be_met_before_it_is_known() {
        let early = Fault::BlackHole { at: Stage::Tcp };
        assert_eq!(
            Faults::check(&early, &Target::device("a")),
            Err(FaultError::DeviceUnknown)
        );
        assert_eq!(
            Faults::check(&Fault::connect_failure(503), &Target::device("a")),
            Ok(())
        );
    }
}
