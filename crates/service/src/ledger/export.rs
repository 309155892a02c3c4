//! Writing the export: everything up to the newest checkpoint, in one pass.

use std::collections::VecDeque;
use std::io::{self, Write};

use domain::canonical::NotCanonical;
use domain::checkpoint::KeyHistory;
use domain::export::{ExportedText, Header, Line};
use store::Store;
use store::read::StoredEntry;

use super::{LedgerError, key_history};
use crate::Failure;

/// Entries and checkpoints read at once.
const STRIDE: u32 = 2000;
/// Of the checkpoints within so many entries the last one of each key is exported: enough to say
/// where a ledger was changed, few enough to be checked in no time.
const BLOCK: u64 = 256;

/// Why there is no export.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("no checkpoint was issued yet; a server issues one within seconds of its start")]
    NoCheckpoint,
    #[error("cannot write the export: {0}")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl From<NotCanonical> for ExportError {
    fn from(error: NotCanonical) -> Self {
        Self::Failed(Failure::defect(error))
    }
}

impl From<store::StoreError> for ExportError {
    fn from(error: store::StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// Writes the entries that the newest checkpoint covers, with their texts if asked for; answers
/// with how many there are.
///
/// # Errors
/// [`ExportError`] when there is nothing to export, or it cannot be read or written.
pub async fn export(
    store: &dyn Store,
    with_texts: bool,
    to: &mut dyn Write,
) -> Result<u64, ExportError> {
    let newest = store.newest_checkpoint().await?.ok_or(ExportError::NoCheckpoint)?;
    let instance = store.instance().await?.ok_or(ExportError::NoCheckpoint)?.id;
    let history = key_history(store, instance).await?;
    // A key that was named since is none of this export's.
    let last = history.of_size(newest.size);
    let mut keys: Vec<String> = Vec::new();
    for key in history.keys() {
        keys.push(key.to_string());
        if Some(key) == last {
            break;
        }
    }
    to.write_all(&Header::new(instance, keys, newest.size).to_line()?)?;
    let mut notes = chosen(store, newest.size, &history).await?;
    let mut next = 0;
    while next < newest.size {
        let limit = STRIDE.min(u32::try_from(newest.size - next).unwrap_or(STRIDE));
        let entries = store.entries(next, limit).await?;
        if entries.is_empty() {
            return Err(Failure::defect(format!("entry {next} is missing")).into());
        }
        for stored in &entries {
            write_entry(stored, with_texts, to)?;
            next = stored.index + 1;
            while let Some((_, note)) = notes.pop_front_if(|(size, _)| *size <= next) {
                to.write_all(&Line::Checkpoint(note).to_line()?)?;
            }
        }
    }
    to.flush()?;
    Ok(newest.size)
}

fn write_entry(
    stored: &StoredEntry,
    with_texts: bool,
    to: &mut dyn Write,
) -> Result<(), ExportError> {
    to.write_all(&Line::Entry { body: &stored.body, leaf: stored.leaf.0 }.to_line()?)?;
    for (field, salt, text) in stored.texts.iter().filter(|_| with_texts) {
        let salt = salt.as_slice().try_into().map_err(Failure::defect)?;
        let text = ExportedText::new(stored.index, field, salt, text);
        to.write_all(&Line::Text(text).to_line()?)?;
    }
    Ok(())
}

/// The sizes and notes to export: the last of each block and key, so also the newest.
async fn chosen(
    store: &dyn Store,
    newest: u64,
    history: &KeyHistory,
) -> Result<VecDeque<(u64, String)>, Failure> {
    let mut chosen: VecDeque<(u64, String)> = VecDeque::new();
    let group = |size: u64| ((size - 1) / BLOCK, history.of_size(size));
    let mut from = 1;
    while from <= newest {
        let page = store.checkpoints(from, STRIDE).await?;
        let Some(last) = page.last() else { break };
        from = last.size + 1;
        for checkpoint in page.into_iter().filter(|found| found.size <= newest) {
            chosen.pop_back_if(|(size, _)| group(*size) == group(checkpoint.size));
            chosen.push_back((checkpoint.size, checkpoint.note));
        }
    }
    Ok(chosen)
}
