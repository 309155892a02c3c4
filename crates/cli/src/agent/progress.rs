//! What a command says while it waits: on standard error, which is nobody's data.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::writer;

/// One line of ours.
pub fn say(text: &str) {
    writer::line(&format!("countersign: {text}"));
}

/// One line for each thing that is new, and on a terminal a spinner below them.
pub struct Progress {
    spinner: Option<ProgressBar>,
    said: String,
}

impl Progress {
    /// Starts it.
    pub fn start() -> Self {
        let spinner = std::io::stderr().is_terminal().then(|| {
            let spinner = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
                spinner.set_style(style);
            }
            spinner.set_message("waiting");
            spinner.enable_steady_tick(Duration::from_millis(120));
            spinner
        });
        Self { spinner, said: String::new() }
    }

    /// Says where things stand, if that is new.
    pub fn now(&mut self, text: String) {
        if text == self.said {
            return;
        }
        match &self.spinner {
            Some(spinner) => spinner.println(format!("countersign: {text}")),
            None => say(&text),
        }
        self.said = text;
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(spinner) = &self.spinner {
            spinner.finish_and_clear();
        }
    }
}
