//! What the demo prints: for people, or as one JSON object.

use std::io::Write;

use super::cast::Handout;

/// One JSON object on standard output and nothing else.
pub fn json(handout: &Handout) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, handout)?;
    writeln!(out)?;
    Ok(out.flush()?)
}

/// The way to the first approval.
pub fn text(handout: &Handout, site_is_built: bool) {
    let Handout { url, sign_in, example_curl, agent_key, executor_key, auditor_key, .. } = handout;
    let data_dir = &handout.data_dir;
    println!(
        "\nCountersign demo: {url}\n\n\
         Sign in (each link once, within 60 minutes):\n  \
         approver         {}\n  second approver  {}\n  auditor          {}\n  administrator    {}\n  \
         everybody's password, asked for again where the risk is high: {}\n\n\
         Stage a request as an agent:\n  {example_curl}\n\
         or, and wait for the decision:\n  \
         COUNTERSIGN_URL={url} COUNTERSIGN_KEY={agent_key} countersign stage --wait -f {data_dir}/request.json\n\n\
         Then open its review_url as the approver, decide, and redeem:\n  \
         curl -sS -X POST {url}/api/v1/requests/ID/redeem -H 'Authorization: Bearer {agent_key}' \
         -H 'Content-Type: application/json' -H 'Idempotency-Key: first' -d '{{\"digest\":\"DIGEST\"}}'\n\n\
         Keys:\n  agent     {agent_key}\n  executor  {executor_key}   (redeems deploy.release)\n  \
         auditor   {auditor_key}\n\n\
         Check the record while it runs:\n  countersign ledger verify --database {}\n\n\
         Throwaway data in {data_dir}; Ctrl-C ends the demo and removes it.",
        sign_in.approver,
        sign_in.second_approver,
        sign_in.auditor,
        sign_in.administrator,
        handout.password,
        handout.database,
    );
    if !site_is_built {
        println!("\nThis binary was built without the front end: run `cargo xtask demo` instead.");
    }
}
