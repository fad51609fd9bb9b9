//! The processes of one installation as Kubernetes manifests.

use serde_json::{Value, json};

use super::files::{File, yaml};
use super::plan::{DATA_DIR, DATABASE_URL, IMAGE, PUBLIC_PORT, Plan, Planned};
use crate::config::GATEWAY;

/// Where secrets are mounted; the directory above belongs to the system.
const SECRETS: &str = "/run/secrets/tributary";
/// More than the process gives itself to stop in the end (shutdown.forced_ms).
const GRACE_S: u32 = 40;
/// An endpoint that is taken out is still sent requests until everybody has heard of it.
const DRAIN_DELAY: (&str, &str) = ("TRIBUTARY_SHUTDOWN__DRAIN_DELAY_MS", "5000");

pub(super) fn render(plan: &Plan) -> anyhow::Result<Vec<File>> {
    let mut files = Vec::new();
    for process in &plan.processes {
        let mut objects = vec![deployment(plan, process), private_service(process), policy(plan, process)];
        objects.extend(process.runs(GATEWAY).then(|| public_service(process)));
        objects.extend((!plan.shared_database).then(|| claim(process)));
        files.push(File { path: path(plan, &process.name), text: yaml(&objects)? });
    }
    let resources: Vec<_> = plan.processes.iter().map(|process| format!("{}.yaml", process.name)).collect();
    let kustomization = json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": "tributary",
        "resources": resources,
    });
    files.push(File { path: path(plan, "kustomization"), text: yaml(&[kustomization])? });
    Ok(files)
}

fn path(plan: &Plan, name: &str) -> std::path::PathBuf {
    format!("{}/{name}.yaml", plan.mode).into()
}

fn labels(process: &Planned) -> Value {
    json!({ "app.kubernetes.io/name": "tributary", "app.kubernetes.io/component": process.name })
}

fn metadata(name: &str, process: &Planned) -> Value {
    json!({ "name": name, "labels": labels(process) })
}

fn deployment(plan: &Plan, process: &Planned) -> Value {
    // Two processes on one SQLite file would be one too many, also for a moment.
    let (replicas, strategy) = match plan.shared_database {
        true => (2, json!({ "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": 0 } })),
        false => (1, json!({ "type": "Recreate" })),
    };
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(&process.name, process),
        "spec": {
            "replicas": replicas,
            "strategy": strategy,
            "selector": { "matchLabels": labels(process) },
            "template": { "metadata": { "labels": labels(process) }, "spec": pod(plan, process) },
        },
    })
}

fn pod(plan: &Plan, process: &Planned) -> Value {
    let data = match plan.shared_database {
        true => json!({ "name": "data", "emptyDir": {} }),
        false => json!({ "name": "data", "persistentVolumeClaim": { "claimName": process.name } }),
    };
    json!({
        "automountServiceAccountToken": false,
        "terminationGracePeriodSeconds": GRACE_S,
        "securityContext": {
            "runAsNonRoot": true,
            "runAsUser": 10001,
            "fsGroup": 10001,
            "seccompProfile": { "type": "RuntimeDefault" },
        },
        "containers": [container(plan, process)],
        "volumes": [data, { "name": "tmp", "emptyDir": {} }, secrets(plan, process)],
    })
}

fn container(plan: &Plan, process: &Planned) -> Value {
    let mut told = plan.environment(process, SECRETS);
    told.insert(DRAIN_DELAY.0.to_owned(), DRAIN_DELAY.1.to_owned());
    let told: Vec<_> = told.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    let mut ports = vec![json!({ "name": "private", "containerPort": process.port })];
    ports.extend(process.runs(GATEWAY).then(|| json!({ "name": "public", "containerPort": PUBLIC_PORT })));
    json!({
        "name": "tributary",
        "image": IMAGE,
        "args": ["serve"],
        "env": told,
        // Whatever else is to be set; the issuer must be.
        "envFrom": [{ "configMapRef": { "name": "tributary-settings" } }],
        "ports": ports,
        "startupProbe": probe(plan, "startup", 2, 60),
        "livenessProbe": probe(plan, "live", 10, 3),
        "readinessProbe": probe(plan, "ready", 2, 2),
        "securityContext": {
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": { "drop": ["ALL"] },
        },
        "volumeMounts": [
            { "name": "data", "mountPath": DATA_DIR },
            { "name": "tmp", "mountPath": "/tmp" },
            { "name": "secrets", "mountPath": SECRETS, "readOnly": true },
        ],
    })
}

/// Over TLS too: probes are answered without a certificate, and do not look at the one they see.
fn probe(plan: &Plan, what: &str, period_s: u32, failures: u32) -> Value {
    let mut get = json!({ "path": format!("/health/{what}"), "port": "private" });
    if plan.tls {
        get["scheme"] = json!("HTTPS");
    }
    json!({
        "httpGet": get,
        "periodSeconds": period_s,
        "failureThreshold": failures,
        "timeoutSeconds": 1,
    })
}

/// Each key from the secret that holds all of them, and no more than this process needs. Its certificate is in a secret
/// of its own (`kubernetes.io/tls`), the CAs that all believe in a config map.
fn secrets(plan: &Plan, process: &Planned) -> Value {
    let item = |key: &str, path: &str| json!({ "key": key, "path": path });
    let keys: Vec<_> = process.keys().iter().map(|name| item(name, name)).collect();
    let mut sources = vec![json!({ "secret": { "name": "tributary-keys", "items": keys } })];
    if plan.shared_database {
        let items = [item(DATABASE_URL, DATABASE_URL)];
        sources.push(json!({ "secret": { "name": "tributary-database", "items": items } }));
    }
    if let Some([(_, cert), (_, key), (_, ca)]) = plan.certificates(process) {
        let own = [item("tls.crt", &cert), item("tls.key", &key)];
        sources.push(json!({ "secret": { "name": format!("{}-tls", process.name), "items": own } }));
        sources.push(json!({ "configMap": { "name": "tributary-ca", "items": [item("ca.crt", &ca)] } }));
    }
    json!({ "name": "secrets", "projected": { "defaultMode": 0o440, "sources": sources } })
}

/// Without an address of its own: whoever calls sees each replica, and chooses among them.
fn private_service(process: &Planned) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(&process.name, process),
        "spec": {
            "clusterIP": "None",
            "selector": labels(process),
            "ports": [{ "name": "private", "port": process.port, "targetPort": "private" }],
        },
    })
}

fn public_service(process: &Planned) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata("public", process),
        "spec": {
            "selector": labels(process),
            "ports": [{ "name": "http", "port": 80, "targetPort": "public" }],
        },
    })
}

/// The private port is for the processes that call this one, and for whoever collects metrics.
fn policy(plan: &Plan, process: &Planned) -> Value {
    let mut from: Vec<_> = plan
        .callers(process)
        .map(|caller| json!({ "podSelector": { "matchLabels": labels(caller) } }))
        .collect();
    let collectors = json!({ "matchLabels": { "kubernetes.io/metadata.name": "monitoring" } });
    from.push(json!({ "namespaceSelector": collectors }));
    let mut ingress = vec![json!({ "from": from, "ports": [{ "port": "private" }] })];
    ingress.extend(process.runs(GATEWAY).then(|| json!({ "ports": [{ "port": "public" }] })));
    json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(&process.name, process),
        "spec": {
            "podSelector": { "matchLabels": labels(process) },
            "policyTypes": ["Ingress"],
            "ingress": ingress,
        },
    })
}

fn claim(process: &Planned) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": metadata(&process.name, process),
        "spec": {
            "accessModes": ["ReadWriteOncePod"],
            "resources": { "requests": { "storage": "10Gi" } },
        },
    })
}
