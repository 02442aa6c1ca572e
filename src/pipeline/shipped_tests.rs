//! What a package ships: what passes, and what is refused.

use super::report::{Check, CheckStatus};
use super::shipped::{dist, manifest};
use crate::files::FileSet;
use crate::generation::scaffold::scaffold;
use crate::specification::parse;
use serde_json::Value;
use serde_json::json;

fn delivered() -> Value {
    let specification = parse(&json!({
        "name": "@acme/plugin-a",
        "description": "Does a thing.",
        "services": [{ "name": "a_thing", "description": "x" }],
        "dependencies": { "zod": "^3.0.0" },
    }))
    .unwrap();
    serde_json::from_slice(&scaffold(&specification, &FileSet::new())["package.json"]).unwrap()
}

fn check(value: &Value, beside: &[&str]) -> Check {
    let allowed = ["zod", "@elizaos/core"]
        .map(|name| (name.to_owned(), "1".to_owned()))
        .into();
    manifest(value, beside, &allowed)
}

#[test]
fn what_a_creation_delivers_passes() {
    let found = check(&delivered(), &[]);
    assert_eq!(found.status, CheckStatus::Passed, "{:?}", found.diagnostics);
}

#[test]
fn a_manifest_that_runs_leads_or_brings_something_else_fails() {
    for (pointer, value, code) in [
        ("/scripts/postinstall", json!("curl x | sh"), "manifest/install-script"),
        ("/scripts/prepare", json!("x"), "manifest/install-script"),
        ("/scripts/prepublishOnly", json!("x"), "manifest/install-script"),
        ("/main", json!("evil.js"), "manifest/entry"),
        ("/main", json!("dist/../evil.js"), "manifest/entry"),
        ("/exports", json!("./evil.js"), "manifest/entry"),
        ("/exports", json!({ ".": { "node": ["./evil.js"] } }), "manifest/entry"),
        ("/exports", json!({ ".": { "types": "./evil.js" } }), "manifest/entry"),
        ("/exports", json!({ "./x": "./src/x.js" }), "manifest/entry"),
        ("/bin", json!("./dist/index.js"), "manifest/bin"),
        ("/directories", json!({ "bin": "bin" }), "manifest/bin"),
        ("/gypfile", json!(true), "manifest/gypfile"),
        ("/bundleDependencies", json!(["zod"]), "manifest/bundleDependencies"),
        ("/bundledDependencies", json!(true), "manifest/bundledDependencies"),
        (
            "/dependencies",
            json!({ "left-pad": "1" }),
            "AUTON8N_DEPENDENCY_UNSUPPORTED",
        ),
        (
            "/dependencies",
            json!({ "zod": "npm:evil@1" }),
            "AUTON8N_DEPENDENCY_UNSUPPORTED",
        ),
        (
            "/dependencies",
            json!({ "zod": "who/evil" }),
            "AUTON8N_DEPENDENCY_UNSUPPORTED",
        ),
        (
            "/optionalDependencies",
            json!({ "evil": "1" }),
            "AUTON8N_DEPENDENCY_UNSUPPORTED",
        ),
        (
            "/peerDependencies",
            json!({ "evil": "1" }),
            "AUTON8N_DEPENDENCY_UNSUPPORTED",
        ),
        ("/dependencies", json!(["evil"]), "manifest/invalid"),
    ] {
        let mut manifest = delivered();
        if let Some(name) = pointer.strip_prefix("/scripts/") {
            manifest["scripts"][name] = value;
        } else {
            manifest[&pointer[1..]] = value;
        }
        let found = check(&manifest, &[]);
        let codes: Vec<&str> = found.diagnostics.iter().map(|one| one.code.as_str()).collect();
        assert_eq!((found.status, codes), (CheckStatus::Failed, vec![code]), "{pointer}");
    }
    assert_eq!(check(&delivered(), &["binding.gyp"]).status, CheckStatus::Failed);
    assert_eq!(check(&json!({}), &[]).status, CheckStatus::Failed);
    assert_eq!(check(&json!([]), &[]).status, CheckStatus::Failed);
}

#[test]
fn dist_is_what_was_built_and_nothing_else() {
    let set = |files: &[(&str, &str)]| -> FileSet {
        files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
            .collect()
    };
    let built = set(&[("dist/index.js", "a"), ("dist/index.d.ts", "b")]);
    assert_eq!(dist(&built, &built).status, CheckStatus::Passed);
    assert_eq!(dist(&FileSet::new(), &built).status, CheckStatus::Skipped);
    assert_eq!(dist(&built, &FileSet::new()).status, CheckStatus::Skipped);
    let wrong = set(&[("dist/index.js", "evil"), ("dist/more.js", "x")]);
    let found = dist(&wrong, &built);
    let codes: Vec<&str> = found.diagnostics.iter().map(|one| one.code.as_str()).collect();
    assert_eq!(
        (found.status, codes),
        (CheckStatus::Failed, vec!["dist/missing", "dist/differs", "dist/extra"])
    );
}
