//! Events of the Open Cybersecurity Schema Framework, version 1.9 (<https://schema.ocsf.io>).
//!
//! A run begins and ends with a Process Activity event, and each call to a capability, allowed or
//! denied, is an API Activity event. Every event carries the record integrity profile: SHA-256
//! over its canonical JSON (RFC 8785) and the event before it in its run. The Merkle leaf that
//! proves the record itself is in `unmapped`.

use june_sandbox::Digest;
use june_sandbox::journal::record::{Event, Record, Start};
use serde_json::{Value, json};

use super::{Exported, data_in_json, leaf_hash};

const VERSION: &str = "1.9.0";

/// The events of a run, each with the hash of the one before it.
pub(super) fn events(exported: &Exported<'_>) -> Vec<Value> {
    let Some((_, Record { event: Event::Start(start), .. })) = exported.records.first() else {
        return Vec::new();
    };
    let mut events = Vec::new();
    let mut previous: Option<Value> = None;
    for (number, record) in exported.records {
        let Some(mut event) = event(exported, start, *number, record) else { continue };
        let mut attestation = json!({
            "authority_uid": exported.journal,
            "chain_uid": format!("{}/run/{}", exported.journal, exported.run),
        });
        if let Some(previous) = previous {
            attestation["prev_event"] = previous;
        }
        event["attestation_list"] = json!([attestation]);
        let fingerprint = json!({
            "algorithm_id": 3, "algorithm": "SHA-256", "encoding_id": 1, "encoding": "Hex",
            "serialization_id": 2, "serialization": "JCS",
            "value": Digest::of(canonical(&event).as_bytes()).to_string(),
        });
        event["attestation_list"][0]["fingerprint"] = fingerprint.clone();
        previous = Some(json!({
            "uid": event["metadata"]["uid"], "type_uid": event["type_uid"],
            "fingerprint": fingerprint,
        }));
        events.push(event);
    }
    events
}

/// The event of a record; none for a record that only explains another.
fn event(exported: &Exported<'_>, start: &Start, number: u64, record: &Record) -> Option<Value> {
    let run = exported.run;
    let component = format!("sha256:{}", start.component);
    let process = json!({
        "uid": format!("{}/run/{run}", exported.journal), "name": start.name,
        "sandbox": "WebAssembly component", "path": component,
    });
    let data = |data| data_in_json(data, exported.blobs, false);
    let (class, activity, mut event) = match &record.event {
        Event::Start(start) => (
            (1007, "Process Activity", 1, "System Activity"),
            (1, "Launch"),
            json!({
                "severity_id": 1, "severity": "Informational", "status_id": 1, "status": "Success",
                "process": process, "launch_type_id": 1,
                "message": format!("{} began in world {}", start.name, start.world),
            }),
        ),
        Event::End(end) => {
            let exit = end.exit.as_ref();
            let well = matches!(exit, Some(june_sandbox::Exit::Returned));
            let mut event = json!({
                "severity_id": 1, "severity": "Informational",
                "status_id": if well { 1 } else { 2 },
                "status": if well { "Success" } else { "Failure" },
                "status_code": exit.map_or("given-up", |exit| exit.name()),
                "process": process,
            });
            if let Some(detail) = exit.map(|exit| exit.detail()).filter(|text| !text.is_empty()) {
                event["status_detail"] = json!(detail);
            }
            if let Some(june_sandbox::Exit::Exited(status)) = exit {
                event["exit_code"] = json!(status);
            }
            event["process"]["terminated_time"] = json!(record.time);
            ((1007, "Process Activity", 1, "System Activity"), (2, "Terminate"), event)
        }
        Event::Call(call) => (
            (6003, "API Activity", 6, "Application Activity"),
            (99, "Call"),
            json!({
                "severity_id": 1, "severity": "Informational", "status_id": 1, "status": "Success",
                "action_id": 1, "action": "Allowed",
                "disposition_id": 1, "disposition": "Allowed",
                "policy": { "name": call.grant, "uid": start.policy.to_string(), "is_applied": true },
                "api": {
                    "operation": call.function,
                    "request": {
                        "uid": format!("{run}/{}", call.number),
                        "data": { "arguments": data(&call.arguments) },
                    },
                },
                "src_endpoint": { "name": "sandbox", "uid": process["uid"] },
            }),
        ),
        Event::Denial(denial) => (
            (6003, "API Activity", 6, "Application Activity"),
            (99, "Call"),
            json!({
                "severity_id": 3, "severity": "Medium", "status_id": 2, "status": "Failure",
                "status_detail": denial.reason,
                "action_id": 2, "action": "Denied",
                "disposition_id": 2, "disposition": "Blocked",
                "policy": { "uid": start.policy.to_string(), "is_applied": true },
                "api": {
                    "operation": denial.function,
                    "request": {
                        "uid": format!("{run}/{}", denial.number),
                        "data": { "arguments": data(&denial.arguments) },
                    },
                    "response": { "error": denial.answer, "message": denial.reason },
                },
                "src_endpoint": { "name": "sandbox", "uid": process["uid"] },
            }),
        ),
        Event::Virtual(_)
        | Event::Answer(_)
        | Event::LimitHit(_)
        | Event::Output(_)
        | Event::Returned(_)
        | Event::Review(_) => return None,
    };
    let ((class_uid, class_name, category_uid, category_name), (activity_id, activity)) =
        (class, activity);
    let mut profiles = vec!["record_integrity"];
    if class_uid == 6003 {
        profiles.push("security_control");
    } else {
        event["device"] = json!({ "type_id": 0, "uid": exported.journal });
    }
    let common = json!({
        "class_uid": class_uid, "class_name": class_name, "category_uid": category_uid,
        "category_name": category_name, "activity_id": activity_id, "activity_name": activity,
        "type_uid": class_uid * 100 + activity_id, "type_name": format!("{class_name}: {}",
            if activity_id == 99 { "Other" } else { activity }),
        "time": record.time,
        "actor": { "application": { "name": start.name, "uid": component } },
        "metadata": {
            "version": VERSION, "profiles": profiles,
            "product": { "name": "June", "version": env!("CARGO_PKG_VERSION") },
            "uid": format!("{}/record/{number}", exported.journal),
            "correlation_uid": format!("{}/run/{run}", exported.journal),
            "log_name": exported.journal, "sequence": number, "logged_time": record.time,
        },
        "unmapped": {
            "june": { "record": number, "leaf": leaf_hash(record), "session": start.session },
        },
    });
    if let (Some(event), Value::Object(common)) = (event.as_object_mut(), common) {
        event.extend(common);
    }
    Some(event)
}

/// JSON in the canonical form of RFC 8785. Every key and number here is one for which its rules
/// are: keys in order, no spaces.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(object) => {
            let mut keys: Vec<_> = object.iter().collect();
            keys.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
            let fields = keys
                .iter()
                .map(|(key, value)| format!("{}:{}", Value::from(key.as_str()), canonical(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_canonical() {
        let value = json!({ "b": [1, { "z": null, "a": "\u{7}é\"\n" }], "a": true });
        assert_eq!(
            canonical(&value),
            "{\"a\":true,\"b\":[1,{\"a\":\"\\u0007é\\\"\\n\",\"z\":null}]}"
        );
    }
}
