//! What a plugin's code may do.

use std::collections::BTreeSet;

use crate::specification::Specification;

use super::declared::{hosts_in, without_port};

/// Built-in modules of Node that reach nothing but the network that `fetch` reaches too.
const HARMLESS_BUILT_INS: &[&str] = &[
    "assert",
    "async_hooks",
    "buffer",
    "crypto",
    "events",
    "http",
    "https",
    "path",
    "perf_hooks",
    "querystring",
    "stream",
    "string_decoder",
    "timers",
    "url",
    "util",
    "zlib",
];

/// What a plugin's code may do; names that are not here are refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Packages that may be imported.
    pub packages: BTreeSet<String>,
    /// Built-in modules of Node, without `node:`.
    pub built_ins: BTreeSet<String>,
    /// Environment variables that the specification declares.
    pub environment: BTreeSet<String>,
    /// Hosts that the specification's requests name, without ports; `None`: it has no request, and any host may be
    /// named.
    pub hosts: Option<BTreeSet<String>>,
    /// Files that are ours: imports find them, nobody inspects them.
    pub own_files: BTreeSet<String>,
    /// Bytes of one file.
    pub max_file: usize,
    /// Brackets in brackets.
    pub max_nesting: usize,
}

impl Policy {
    /// What every plugin may do, with these packages beside `@elizaos/core`.
    pub fn with_packages(packages: impl IntoIterator<Item = String>) -> Self {
        let mut packages: BTreeSet<_> = packages.into_iter().collect();
        packages.insert("@elizaos/core".to_owned());
        Self {
            packages,
            ..Self::default()
        }
    }

    /// What a specification asks for: its dependencies and environment variables, and zod.
    pub fn of(specification: &Specification) -> Self {
        let packages = specification.dependencies.keys().cloned();
        let environment = specification.environment_variables.iter();
        let actions = specification.actions.iter().filter_map(|action| action.http.as_ref());
        let providers = specification.providers.iter().filter_map(|one| one.http.as_ref());
        let urls = actions.chain(providers).flat_map(|http| hosts_in(&http.url));
        let hosts: BTreeSet<_> = urls.map(|host| without_port(&host).to_owned()).collect();
        Self {
            hosts: (!hosts.is_empty()).then_some(hosts),
            environment: environment.map(|variable| variable.name.clone()).collect(),
            ..Self::with_packages(packages.chain(["zod".to_owned()]))
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            packages: BTreeSet::from(["@elizaos/core".to_owned(), "zod".to_owned()]),
            built_ins: HARMLESS_BUILT_INS.iter().map(|name| (*name).to_owned()).collect(),
            environment: BTreeSet::new(),
            hosts: None,
            own_files: BTreeSet::new(),
            max_file: 128 << 10,
            max_nesting: 100,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hosts_of_requests_may_be_named() {
        let specification = crate::specification::parse(&serde_json::json!({
            "name": "@a/plugin-b", "description": "x",
            "actions": [
                { "name": "A_B", "description": "x", "http": { "url": "https://A.example:8443/x" } },
                { "name": "A_C", "description": "x" },
            ],
            "providers": [{ "name": "C_D", "description": "x", "http": { "url": "https://b.example" } }],
        }));
        let hosts = Policy::of(&specification.unwrap()).hosts.unwrap();
        assert_eq!(hosts.into_iter().collect::<Vec<_>>(), ["a.example", "b.example"]);
    }

    #[test]
    fn a_specification_allows_what_it_declares() {
        let specification = serde_json::from_value(serde_json::json!({
            "name": "@a/plugin-b", "description": "x", "dependencies": { "uuid": "^11" },
            "environmentVariables": [{ "name": "B_TOKEN", "description": "x" }],
        }));
        let policy = Policy::of(&specification.unwrap());
        assert_eq!(
            policy.packages.into_iter().collect::<Vec<_>>(),
            ["@elizaos/core", "uuid", "zod"]
        );
        assert_eq!(policy.environment.into_iter().collect::<Vec<_>>(), ["B_TOKEN"]);
        assert_eq!(policy.hosts, None);
        assert!(policy.built_ins.contains("crypto") && !policy.built_ins.contains("fs"));
    }
}
