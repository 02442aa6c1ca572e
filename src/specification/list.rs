//! The lists of components, and their names as `ElizaOS` writes them.

use std::collections::BTreeMap;

use super::name;
use super::part::{MAX_COMPONENTS, MAX_DESCRIPTION};
use super::problem::{Problems, shown};
use super::shape::Object;

/// One of the four lists of components.
pub(super) struct List {
    pub(super) key: &'static str,
    known: &'static [&'static str],
    reserved: &'static [&'static str],
    write: fn(&str) -> Option<String>,
    style: &'static str,
}

pub(super) const ACTIONS: List = List {
    key: "actions",
    known: &["name", "description", "parameters", "http"],
    reserved: name::reserved_action_names(),
    write: name::upper_snake,
    style: "GET_WEATHER",
};
pub(super) const PROVIDERS: List = List {
    key: "providers",
    known: &["name", "description", "dataStructure", "http"],
    reserved: name::PROVIDERS,
    write: name::upper_snake,
    style: "WEATHER_NOW",
};
pub(super) const SERVICES: List = List {
    key: "services",
    known: &["name", "description", "methods"],
    reserved: name::SERVICES,
    write: name::lower_snake,
    style: "weather_watch",
};
pub(super) const EVALUATORS: List = List {
    key: "evaluators",
    known: &["name", "description", "triggers"],
    reserved: name::EVALUATORS,
    write: name::upper_snake,
    style: "WEATHER_MENTIONED",
};

/// The items of a list with their names as `ElizaOS` writes them, and their descriptions.
pub(super) fn read<'a>(problems: &mut Problems, root: &Object<'a>, list: &List) -> Vec<(Object<'a>, String, String)> {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    let mut found = Vec::new();
    for (path, item) in root.list(problems, list.key, MAX_COMPONENTS) {
        let Some(object) = Object::read(problems, &path, item, list.known) else {
            continue;
        };
        let given = object.text(problems, "name", 64);
        let description = object.text(problems, "description", MAX_DESCRIPTION);
        let at = object.at("name");
        let mut name = given.and_then(|given| {
            let written = (list.write)(given).filter(|name| name.len() >= 2);
            if written.is_none() {
                let fix = format!(
                    "Use letters, digits and _, beginning with a letter, like {}",
                    list.style
                );
                problems.add(&at, format!("{} cannot be a name", shown(given)), fix);
            }
            written
        });
        if let Some(taken) = name.take_if(|name| list.reserved.contains(&name.as_str())) {
            problems.add(
                &at,
                format!("\"{taken}\" is a name of ElizaOS itself"),
                "Choose a name that says more",
            );
        }
        if let Some(name) = &name
            && let Some(first) = seen.insert(name.clone(), path.clone())
        {
            problems.add(
                &at,
                format!("\"{name}\" is there already, at {first}"),
                "Rename one of them",
            );
        }
        // Its other members are still read, so that their problems are told too.
        found.push((
            object,
            name.unwrap_or_default(),
            description.unwrap_or_default().trim().to_owned(),
        ));
    }
    found
}
