//! Look-alikes are told, and what many use never is.

use serde_json::json;

use super::{codes, offline};
use crate::dependencies::FindingCode::LookAlike;
use crate::dependencies::lookalike::resemblance;
use crate::dependencies::popular::Popular;
use crate::dependencies::{Facts, Known};

#[test]
fn no_popular_name_is_ever_taken_for_a_look_alike() {
    let popular = Popular::shipped();
    assert!(popular.names.len() > 17_000);
    let wrong: Vec<_> = popular.names.iter().filter_map(|name| resemblance(name, &[])).collect();
    assert_eq!(wrong, []);
}

#[test]
fn names_that_pose_as_others_are_told() {
    for (name, to) in [
        ("lodahs", "lodash"),
        ("expresss", "express"),
        ("crossenv", "cross-env"),
        ("cross-env.js", "cross-env"),
        ("react_dom", "react-dom"),
        ("types-node", "@types/node"),
        ("@type/node", "@types"),
        ("@typess/node", "@types"),
        ("babel-preset.env", "@babel/preset-env"),
        ("axios-js", "axios"),
        ("node-chalk", "chalk"),
        ("chalk-npm", "chalk"),
        ("m0ment", "moment"),
        ("d0tenv", "dotenv"),
        ("comrnander", "commander"),
        ("typescriptjs", "typescript"),
        ("@e1izaos/core", "@elizaos"),
        ("@elizaos-core/x", "@elizaos"),
        ("@elizaoss/core", "@elizaos"),
        ("elizaos-core", "@elizaos/core"),
        ("r\u{435}act", "react"),
        ("l\u{43e}dash", "lodash"),
        ("expre\u{455}s", "express"),
    ] {
        let found = resemblance(name, &[]).unwrap_or_else(|| panic!("{name} passes"));
        assert_eq!(found.to, to, "{name}");
    }
}

#[test]
fn a_name_of_ones_own_scope_or_of_a_known_one_is_left_alone() {
    for name in [
        "@elizaos/plugin-anything",
        "@types/whatever-new",
        "@babel/plugin-of-tomorrow",
        "@acme/react-dom",
    ] {
        if name.starts_with("@acme") {
            assert!(resemblance(name, &["@acme".to_owned()]).is_none(), "{name}");
        } else {
            assert!(resemblance(name, &[]).is_none(), "{name}");
        }
    }
    let report = offline(
        &json!({ "name": "@acmee/x", "dependencies": { "@acmee/lodash": "1.0.0" } }),
        None,
    );
    assert_eq!(
        codes(&report, "@acmee/lodash"),
        [crate::dependencies::FindingCode::Unknown]
    );
}

#[test]
fn a_look_alike_says_what_is_meant_and_can_be_allowed() {
    let manifest = json!({ "dependencies": { "lodahs": "^1.0.0" } });
    let report = offline(&manifest, None);
    let found = report
        .findings
        .iter()
        .find(|finding| finding.code == LookAlike)
        .unwrap();
    assert!(found.reason.contains("lodash") && found.fix.as_ref().unwrap().contains("depend on lodash"));
    assert_eq!(found.path, ["lodahs"]);
    for entry in ["lodahs", "look-alike:lodahs"] {
        let options = crate::dependencies::DependencyOptions::from_value(json!({ "allow": [entry] })).unwrap();
        let report = super::judged(&manifest, None, &options, &Facts::default(), Known::default());
        assert!(!codes(&report, "lodahs").contains(&LookAlike), "{entry}");
    }
}

#[test]
fn a_name_of_a_hundred_thousand_letters_is_judged_at_once() {
    for name in [
        "a".repeat(100_000),
        "-".repeat(100_000),
        "rn".repeat(50_000),
        "\u{435}".repeat(50_000),
    ] {
        let _ = resemblance(&name, &[]);
    }
}
