//! How much one agent may ask for, as the operator says.

use clap::Args;
use service::Limits;

const MIB: u64 = 1024 * 1024;
const MINUTE_S: u32 = 60;

/// What one agent may have at once; 0 is no limit.
#[derive(Args)]
#[group(id = "limits")]
#[command(next_help_heading = "What one agent may have at once (0: no limit)")]
pub struct Arguments {
    /// Calls in a minute, of each server
    #[arg(long, env = "COUNTERSIGN_AGENT_CALLS", value_name = "N", default_value_t = 600)]
    agent_calls: u32,
    /// Calls that wait for a decision, on each server
    #[arg(long, env = "COUNTERSIGN_AGENT_WAITS", value_name = "N", default_value_t = 100)]
    agent_waits: u32,
    /// Requests that wait for people
    #[arg(long, env = "COUNTERSIGN_AGENT_OPEN_REQUESTS", value_name = "N", default_value_t = 50)]
    agent_open_requests: u32,
    /// Let an agent stage again what it has open, or approved and not used, already
    #[arg(long, env = "COUNTERSIGN_AGENT_DUPLICATES")]
    agent_duplicates: bool,
    /// For so many minutes after a denial the same content is refused to the agent
    #[arg(long, env = "COUNTERSIGN_AGENT_COOL_DOWN", value_name = "MINUTES", default_value_t = 15)]
    agent_cool_down: u16,
    /// Uploads that no request refers to
    #[arg(long, env = "COUNTERSIGN_AGENT_UPLOADS", value_name = "N", default_value_t = 200)]
    agent_uploads: u32,
    /// The size of those uploads together
    #[arg(long, env = "COUNTERSIGN_AGENT_UPLOAD_MIB", value_name = "MIB", default_value_t = 200)]
    agent_upload_mib: u32,
}

impl Arguments {
    /// The limits that they say.
    pub fn limits(&self) -> Limits {
        Limits {
            calls_a_minute: self.agent_calls,
            waits: self.agent_waits,
            open_requests: self.agent_open_requests,
            duplicates: self.agent_duplicates,
            cool_down_s: u32::from(self.agent_cool_down) * MINUTE_S,
            unused_uploads: self.agent_uploads,
            unused_bytes: u64::from(self.agent_upload_mib) * MIB,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    #[test]
    fn whoever_says_nothing_gets_the_limits_of_the_product_and_zero_is_none() {
        let limits = |line: &[&str]| Line::parse_from([&["x"], line].concat()).arguments.limits();
        assert_eq!(limits(&[]), Limits::default());
        let none = ["calls", "waits", "open-requests", "cool-down", "uploads", "upload-mib"];
        let mut line: Vec<String> = none.map(|what| format!("--agent-{what}=0")).to_vec();
        line.push("--agent-duplicates".into());
        let line: Vec<&str> = line.iter().map(String::as_str).collect();
        assert_eq!(limits(&line), Limits::NONE);
    }
}
