//! What the texts of a request may name, and whether they do.

use std::collections::{BTreeMap, BTreeSet};

use super::placeholder::Placeholder;
use super::problem::{Problems, shown};
use super::types::{EnvironmentVariable, Parameter};

/// What the texts of a request may name.
pub(super) struct Scope<'a> {
    pub(super) parameters: &'a BTreeMap<String, Parameter>,
    pub(super) variables: &'a [EnvironmentVariable],
    /// Names of variables that stand in the list but have another problem: not told twice.
    pub(super) named: &'a BTreeSet<String>,
}

/// Every name must be declared.
pub(super) fn check(problems: &mut Problems, path: &str, found: Vec<Placeholder<'_>>, scope: &Scope<'_>) {
    let mut found = found;
    found.sort_unstable();
    found.dedup();
    for placeholder in found {
        match placeholder {
            Placeholder::Parameter(name) if !scope.parameters.contains_key(name) => {
                let known: Vec<&str> = scope.parameters.keys().map(String::as_str).collect();
                let fix = super::name::closest(name, &known).map_or_else(
                    || {
                        "Declare it in the action's parameters (a provider has none); for braces as text write { name }"
                            .to_owned()
                    },
                    |meant| format!("Did you mean {{{meant}}}?"),
                );
                problems.add(
                    path,
                    format!(
                        "names {}, which is not a declared parameter",
                        shown(&format!("{{{name}}}"))
                    ),
                    fix,
                );
            }
            Placeholder::Variable(name) if !scope.named.contains(name) => {
                problems.add(
                    path,
                    format!(
                        "names {}, which is not in environmentVariables",
                        shown(&format!("${{{name}}}"))
                    ),
                    "Declare it there with name and description",
                );
            }
            Placeholder::Parameter(_) | Placeholder::Variable(_) => {}
        }
    }
}
