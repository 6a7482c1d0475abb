//! What the state directory holds when the daemon starts.

use super::memory::{Memory, Remembered};
use crate::{
    journal::{Entry, Recorder},
    wa::{Linked, Slot, StoreError, Vault},
    wire::{Severity, Timestamp},
};
use std::path::Path;

/// What the state directory held at the start.
#[derive(Debug)]
pub struct Survey {
    pub(super) live: Option<Linked>,
    pub(super) candidate: Option<Linked>,
    pub(super) remembered: Remembered,
    pub(super) memory: Memory,
    pub(super) warnings: Vec<String>,
}

impl Survey {
    /// Looks into the state directory: finishes a promotion that a crash cut
    /// short, sets damaged files aside, clears away pairings that never ended
    /// in a link.
    ///
    /// # Errors
    ///
    /// When the files can be neither used nor set aside, or nothing can be
    /// written.
    pub async fn make(
        state_dir: &Path,
        vault: &Vault,
        recorder: &Recorder,
    ) -> Result<Self, StoreError> {
        let memory = Memory::new(state_dir);
        let (remembered, warning) = memory.load();
        // On the disk before anybody can be told a generation: a daemon that is
        // killed right after must not begin below it. And before all else: where
        // there is no room for it, nothing has been set aside untold.
        let remembered = remembered.at_the_start(Timestamp::now());
        memory.save(&remembered).map_err(|source| StoreError::Io {
            path: memory.path().to_owned(),
            source,
        })?;
        let mut warnings = Vec::from_iter(warning);
        let mut live = survey_slot(vault, Slot::Live, &mut warnings).await?;
        let mut candidate = survey_slot(vault, Slot::Candidate, &mut warnings).await?;
        if live.is_none() && candidate.is_some() {
            vault.promote()?;
            live = candidate.take();
        } else if live.is_some()
            && live.as_ref().map(|who| &who.jid) == candidate.as_ref().map(|who| &who.jid)
        {
            // Promoted, but not cleared away.
            vault.wipe(Slot::Candidate)?;
            candidate = None;
        }
        for warning in &warnings {
            recorder.record(Entry::new("connection.store", Severity::Warning, warning));
        }
        Ok(Self {
            live,
            candidate,
            remembered,
            memory,
            warnings,
        })
    }
}

async fn survey_slot(
    vault: &Vault,
    slot: Slot,
    warnings: &mut Vec<String>,
) -> Result<Option<Linked>, StoreError> {
    if !vault.exists(slot) {
        return Ok(None);
    }
    let linked = match vault.open(slot).await {
        Ok(store) => store.linked().await,
        Err(error) => Err(error),
    };
    match linked {
        Ok(Some(linked)) => Ok(Some(linked)),
        // A pairing that was never finished.
        Ok(None) if slot == Slot::Candidate => vault.wipe(slot).map(|_| None),
        Ok(None) => aside(vault, slot, &StoreError::unlinked(vault, slot), warnings),
        Err(damaged @ StoreError::Damaged { .. }) => aside(vault, slot, &damaged, warnings),
        Err(error) => Err(error),
    }
}

fn aside(
    vault: &Vault,
    slot: Slot,
    damaged: &StoreError,
    warnings: &mut Vec<String>,
) -> Result<Option<Linked>, StoreError> {
    let aside = vault.set_aside(slot, Timestamp::now())?;
    warnings.push(format!(
        "{damaged}; the file was set aside as {}: link a phone again, or restore a copy",
        aside.display()
    ));
    Ok(None)
}
