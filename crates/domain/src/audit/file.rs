//! The check of an export, line by line.

use super::{Audit, Broken, Verified};
use crate::export::{Header, Line};
use crate::note::VerifierKey;

/// An export under check: its lines come in order, without their newlines.
#[derive(Clone, Debug)]
pub struct ExportAudit {
    trusted: VerifierKey,
    /// Until the header came.
    held: Vec<String>,
    begun: Option<(Header, Audit)>,
}

impl ExportAudit {
    /// Begins the check of an export under a public key from elsewhere, and against checkpoints
    /// that were held elsewhere.
    pub fn new(trusted: VerifierKey, held: Vec<String>) -> Self {
        Self { trusted, held, begun: None }
    }

    /// Takes the next line.
    ///
    /// # Errors
    /// [`Broken`] names the first entry that does not hold.
    pub fn line(&mut self, line: &[u8]) -> Result<(), Broken> {
        let Some((header, audit)) = &mut self.begun else {
            let header = Header::parse(line)
                .map_err(|_| Broken::nowhere("the first line is no header of an export"))?;
            let audit = Audit::new(header.instance, std::mem::take(&mut self.held))?;
            self.begun = Some((header, audit));
            return Ok(());
        };
        let next = audit.size();
        match Line::parse(line) {
            Ok(Line::Entry { .. }) if next >= header.size => {
                Err(Broken::at(next, format!("is one too many: the header says {}", header.size)))
            }
            Ok(Line::Entry { body, leaf }) => audit.entry(body, &leaf),
            Ok(Line::Text(text)) => audit.text(&text),
            Ok(Line::Checkpoint(note)) => audit.checkpoint(&note),
            Err(error) => Err(Broken::at(next, format!("the line where it should be {error}"))),
        }
    }

    /// The bytes after the last newline: there must be none.
    ///
    /// # Errors
    /// [`Broken`] at the entry that should have come.
    pub fn rest(&self, rest: &[u8]) -> Result<(), Broken> {
        match &self.begun {
            Some((_, audit)) if !rest.is_empty() => {
                Err(Broken::at(audit.size(), "the file ends within the line where it should be"))
            }
            _ => Ok(()),
        }
    }

    /// Ends the check after the last line.
    ///
    /// # Errors
    /// [`Broken`] when something that has to be there did not come.
    pub fn finish(self) -> Result<Verified, Broken> {
        let Some((header, audit)) = self.begun else {
            return Err(Broken::nowhere("the first line is no header of an export"));
        };
        let size = audit.size();
        if size < header.size {
            return Err(Broken::at(size, format!("is missing: the header says {}", header.size)));
        }
        if audit.signed_to() < size {
            let problem = "from here on no checkpoint covers the entries";
            return Err(Broken::at(audit.signed_to(), problem));
        }
        let verified = audit.finish(Some(&self.trusted))?;
        if !verified.keys.keys().map(ToString::to_string).eq(header.keys) {
            return Err(Broken::nowhere("the header lists other keys than the entries name"));
        }
        Ok(verified)
    }
}
