//! The policy of system calls: one data file for every engine.

#[cfg(target_os = "linux")]
pub use compiled::filters;

/// Only Linux compiles for Linux.
#[cfg(not(target_os = "linux"))]
pub fn filters() -> crate::error::Result<&'static [Vec<u8>]> {
    Err(crate::error::Error::new(
        crate::error::Code::SandboxUnavailable,
        "on this system Podman cannot be given the policy of system calls; use Docker",
    ))
}

/// The profile as container engines read it.
pub const PROFILE: &str = include_str!("seccomp.json");

#[cfg(target_os = "linux")]
mod compiled {
    use std::sync::OnceLock;

    use seccompiler::{BpfProgram, TargetArch};
    use serde_json::{Value, json};

    use super::PROFILE;
    use crate::error::{Code, Error, Result};

    /// The filters that a process without an engine installs, in this order. Where two differ the
    /// stricter answer counts, so an answer of its own takes a filter of its own.
    pub fn filters() -> Result<&'static [Vec<u8>]> {
        static FILTERS: OnceLock<std::result::Result<Vec<Vec<u8>>, String>> = OnceLock::new();
        FILTERS.get_or_init(compile).as_deref().map_err(|why| {
            Error::new(
                Code::Internal,
                format!("the policy of system calls cannot be compiled: {why}"),
            )
        })
    }

    fn compile() -> std::result::Result<Vec<Vec<u8>>, String> {
        let profile: Value = serde_json::from_str(PROFILE).map_err(|error| error.to_string())?;
        let default = profile["defaultErrnoRet"].as_u64().ok_or("it has no default answer")?;
        let rules = profile["syscalls"].as_array().ok_or("it has no rules")?;
        let mut allowed = Vec::new();
        let mut answers = Vec::new();
        for rule in rules {
            let names = rule["names"].as_array().ok_or("a rule has no names")?;
            let args = arguments(rule)?;
            let mut answered = Vec::new();
            for name in names.iter().filter_map(Value::as_str) {
                let mut entry = json!({ "syscall": name });
                if !args.is_empty() {
                    entry["args"] = Value::Array(args.clone());
                }
                // An answer of its own is reached only past the list of what is allowed.
                allowed.push(entry.clone());
                if rule["action"] == "SCMP_ACT_ERRNO" {
                    answered.push(entry);
                }
            }
            if !answered.is_empty() {
                answers.push((answered, rule["errnoRet"].as_u64().ok_or("a rule has no answer")?));
            }
        }
        let mut filters = vec![program(allowed, &json!({ "errno": default }), &json!("allow"))?];
        for (entries, answer) in answers {
            filters.push(program(entries, &json!("allow"), &json!({ "errno": answer }))?);
        }
        Ok(filters)
    }

    fn arguments(rule: &Value) -> std::result::Result<Vec<Value>, String> {
        let args = rule["args"].as_array().map(Vec::as_slice).unwrap_or_default();
        args.iter()
            .map(|arg| {
                let (op, value) = match arg["op"].as_str() {
                    Some("SCMP_CMP_EQ") => (json!("eq"), &arg["value"]),
                    Some("SCMP_CMP_MASKED_EQ") => (json!({ "masked_eq": arg["value"] }), &arg["valueTwo"]),
                    other => return Err(format!("{other:?} is not used")),
                };
                Ok(json!({ "index": arg["index"], "type": "dword", "op": op, "val": value }))
            })
            .collect()
    }

    /// Compiles one filter. A call that this kind of processor does not have is left out.
    fn program(mut entries: Vec<Value>, otherwise: &Value, on_match: &Value) -> std::result::Result<Vec<u8>, String> {
        let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(|error| error.to_string())?;
        entries.retain(|entry| {
            let lone =
                json!({ "main": { "mismatch_action": "allow", "match_action": { "errno": 1 }, "filter": [entry] } });
            seccompiler::compile_from_json(lone.to_string().as_bytes(), arch).is_ok()
        });
        let source = json!({
            "main": { "mismatch_action": otherwise, "match_action": on_match, "filter": entries }
        });
        let mut all =
            seccompiler::compile_from_json(source.to_string().as_bytes(), arch).map_err(|error| error.to_string())?;
        let program: BpfProgram = all.remove("main").ok_or("nothing was compiled")?;
        Ok(program
            .iter()
            .flat_map(|line| {
                let mut bytes = [0; 8];
                bytes[..2].copy_from_slice(&line.code.to_le_bytes());
                bytes[2..4].copy_from_slice(&[line.jt, line.jf]);
                bytes[4..].copy_from_slice(&line.k.to_le_bytes());
                bytes
            })
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed_without_condition(name: &str) -> bool {
        let profile: serde_json::Value = serde_json::from_str(PROFILE).unwrap();
        profile["syscalls"].as_array().unwrap().iter().any(|rule| {
            rule["action"] == "SCMP_ACT_ALLOW"
                && rule.get("args").is_none()
                && rule["names"].as_array().unwrap().iter().any(|known| known == name)
        })
    }

    #[test]
    fn what_leads_out_of_a_box_is_not_allowed() {
        for name in [
            "ptrace",
            "process_vm_readv",
            "io_uring_setup",
            "memfd_create",
            "execveat",
            "unshare",
            "setns",
            "mount",
            "bpf",
            "keyctl",
            "userfaultfd",
            "perf_event_open",
            "mknod",
            "mknodat",
            "chroot",
            "pivot_root",
            "socket",
            "clone",
            "clone3",
            "open_by_handle_at",
            "pidfd_getfd",
            "init_module",
            "seccomp",
            "personality",
            "splice",
            "tee",
            "vmsplice",
        ] {
            assert!(!allowed_without_condition(name), "{name}");
        }
        assert!(allowed_without_condition("read"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_profile_compiles_for_the_kernel() {
        let filters = filters().unwrap();
        assert_eq!(filters.len(), 3);
        assert!(filters[0].len() > 200 * 8 && filters.iter().all(|filter| filter.len() % 8 == 0));
    }
}
