//! The processes of one installation as a Compose file (compose-spec.io).

use serde_json::{Map, Value, json};

use super::files::{File, yaml};
use super::plan::{DATA_DIR, DATABASE_URL, IMAGE, PUBLIC_PORT, Plan, Planned};
use crate::config::GATEWAY;

/// Where Compose puts secrets.
const SECRETS: &str = "/run/secrets";

pub(super) fn render(plan: &Plan) -> anyhow::Result<Vec<File>> {
    let services: Map<_, _> =
        plan.processes.iter().map(|process| (process.name.clone(), service(plan, process))).collect();
    let mut secrets: Vec<_> = plan.processes.iter().flat_map(|process| secrets(plan, process)).collect();
    secrets.sort();
    secrets.dedup();
    let secrets: Map<_, _> = secrets
        .into_iter()
        .map(|name| {
            let file = json!({ "file": format!("./secrets/{name}") });
            (name, file)
        })
        .collect();
    let mut whole = json!({ "name": "tributary", "services": services, "secrets": secrets });
    if !plan.shared_database {
        whole["volumes"] = json!({ "data": {} });
    }
    Ok(vec![File { path: format!("{}.yaml", plan.mode).into(), text: yaml(&[whole])? }])
}

fn service(plan: &Plan, process: &Planned) -> Value {
    let mut service = json!({
        "image": IMAGE,
        "command": ["serve"],
        // Whatever else is to be set; the issuer must be.
        "env_file": ["settings.env"],
        "environment": plan.environment(process, SECRETS),
        "secrets": secrets(plan, process),
        "read_only": true,
        "tmpfs": ["/tmp"],
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "restart": "unless-stopped",
        "stop_grace_period": "40s",
    });
    if process.runs(GATEWAY) {
        service["ports"] = json!([format!("127.0.0.1:{PUBLIC_PORT}:{PUBLIC_PORT}")]);
    }
    match plan.shared_database {
        true => service["tmpfs"] = json!(["/tmp", DATA_DIR]),
        false => service["volumes"] = json!([format!("data:{DATA_DIR}")]),
    }
    service
}

fn secrets(plan: &Plan, process: &Planned) -> Vec<String> {
    let mut names = process.keys();
    names.extend(plan.certificates(process).into_iter().flatten().map(|(_, file)| file));
    names.extend(plan.shared_database.then(|| DATABASE_URL.to_owned()));
    names
}
