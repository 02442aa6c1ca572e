//! Dependencies: names of packages in the registry, and semver ranges.

use std::collections::BTreeMap;

use serde_json::Value;

use super::problem::{Problems, shown};
use super::shape::Object;

const MAX_DEPENDENCIES: usize = 30;

pub(super) fn read(problems: &mut Problems, root: &Object<'_>) -> BTreeMap<String, String> {
    let mut dependencies = BTreeMap::new();
    if matches!(root.get("dependencies"), Some(Value::Array(_))) {
        let fix = "Write { \"package\": \"^1.2.3\" }, so that the versions are known";
        problems.add(
            root.at("dependencies"),
            "is a list and must be an object of packages and versions",
            fix,
        );
        return dependencies;
    }
    let entries = root.texts(problems, "dependencies", 100);
    if entries.len() > MAX_DEPENDENCIES {
        problems.add(
            root.at("dependencies"),
            format!("has {} packages", entries.len()),
            format!("Keep to {MAX_DEPENDENCIES}"),
        );
        return dependencies;
    }
    for (name, range) in entries {
        let path = super::shape::member(&root.at("dependencies"), name);
        if !is_package_name(name) {
            problems.add(
                path,
                format!("{} is not a name of an npm package", shown(name)),
                "Write it as the registry does, such as zod or @scope/name",
            );
        } else if let Some(source) = foreign_source(range) {
            problems.add(
                path,
                format!("comes from {source}"),
                "Only versions from the npm registry may be used, such as ^1.2.3",
            );
        } else if nodejs_semver::Range::parse(range).is_err() {
            problems.add(
                path,
                format!("{} is not a semver range", shown(range)),
                "Write a range such as ^1.2.3; tags such as latest are not ranges",
            );
        } else {
            dependencies.insert(name.clone(), range.trim().to_owned());
        }
    }
    dependencies
}

/// Where a range that is none points to.
fn foreign_source(range: &str) -> Option<&'static str> {
    let lower = range.trim().to_ascii_lowercase();
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| lower.starts_with(prefix));
    if starts(&[
        "git+",
        "git:",
        "git@",
        "ssh:",
        "github:",
        "gitlab:",
        "bitbucket:",
        "gist:",
    ]) {
        Some("a git repository")
    } else if starts(&["http:", "https:"]) {
        Some("a URL")
    } else if starts(&["file:", "link:", "portal:", "./", "../", "/", "~/"]) {
        Some("a file")
    } else if starts(&["npm:", "workspace:", "catalog:", "patch:"]) {
        Some("an alias")
    } else if lower.contains('/') {
        Some("a git repository")
    } else {
        None
    }
}

/// npm's rules for new packages.
pub(super) fn is_package_name(name: &str) -> bool {
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && part
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte))
            && !part.contains("..")
    };
    let fits = match name.strip_prefix('@') {
        Some(scoped) => scoped
            .split_once('/')
            .is_some_and(|(scope, base)| part(scope) && part(base)),
        None => part(name),
    };
    fits && name.len() <= 214 && name != "node_modules" && name != "favicon.ico"
}
