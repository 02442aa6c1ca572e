//! The files of a package that no model may write: manifest, compiler settings, README, licence.

mod readme;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::files::FileSet;
use crate::specification::Specification;

/// The version of a plugin that does not say its own.
const FIRST_VERSION: &str = "0.1.0";
const CORE: &str = "@elizaos/core";

/// The locked files. The same specification gives the same bytes.
pub fn scaffold(specification: &Specification, generated: &FileSet) -> FileSet {
    let text = |text: String| text.into_bytes();
    FileSet::from([
        ("package.json".to_owned(), text(pretty(&manifest(specification)))),
        ("tsconfig.json".to_owned(), text(pretty(&compiler_settings()))),
        ("tsconfig.build.json".to_owned(), text(pretty(&build_settings()))),
        ("README.md".to_owned(), text(readme::readme(specification, generated))),
        ("LICENSE".to_owned(), text(licence(specification))),
    ])
}

/// `dist/index.d.ts`: the face that every plugin has.
pub const fn plugin_face() -> &'static str {
    "import type { Plugin } from '@elizaos/core'\n\ndeclare const plugin: Plugin\n\nexport default plugin\n"
}

/// The version that the package has.
pub fn version(specification: &Specification) -> &str {
    specification.version.as_deref().unwrap_or(FIRST_VERSION)
}

fn manifest(specification: &Specification) -> Value {
    let dependencies: BTreeMap<&String, &String> = specification
        .dependencies
        .iter()
        .filter(|(name, _)| name.as_str() != CORE)
        .collect();
    let mut keywords = vec!["elizaos", "elizaos-plugin", "plugin"];
    keywords.sort_unstable();
    let mut manifest = Map::new();
    let mut put = |key: &str, value: Value| {
        manifest.insert(key.to_owned(), value);
    };
    put("name", json!(specification.name));
    put("version", json!(version(specification)));
    put("description", json!(one_line(&specification.description)));
    put("license", json!("MIT"));
    put("type", json!("module"));
    put("main", json!("dist/index.js"));
    put("types", json!("dist/index.d.ts"));
    put(
        "exports",
        json!({
            ".": { "types": "./dist/index.d.ts", "import": "./dist/index.js", "default": "./dist/index.js" },
            "./package.json": "./package.json",
        }),
    );
    put("files", json!(["dist", "src", "README.md", "LICENSE"]));
    put("packageType", json!("plugin"));
    put("platform", json!("node"));
    put("keywords", json!(keywords));
    put(
        "scripts",
        json!({
            "build": "esbuild src/index.ts --bundle --platform=node --format=esm --packages=external --outfile=dist/index.js && tsc -p tsconfig.build.json",
            "lint": "oxlint -D correctness -D suspicious src __tests__",
            "prepack": "npm run build",
            "test": "vitest run",
            "typecheck": "tsc -p tsconfig.json",
        }),
    );
    if !dependencies.is_empty() {
        put("dependencies", json!(dependencies));
    }
    put("peerDependencies", json!({ CORE: "^1.7.0" }));
    put(
        "devDependencies",
        json!({
            "@types/node": "^20.19.43",
            "esbuild": "^0.25.12",
            "oxlint": "^1.94.0",
            "typescript": "^7.0.2",
            "vitest": "^4.1.12",
        }),
    );
    put("engines", json!({ "node": ">=20" }));
    put("publishConfig", json!({ "access": "public" }));
    put(
        "agentConfig",
        json!({ "pluginType": "elizaos:plugin:1.0.0", "pluginParameters": parameters(specification) }),
    );
    Value::Object(manifest)
}

/// What the agent's owner is asked for.
fn parameters(specification: &Specification) -> BTreeMap<&str, Value> {
    specification
        .environment_variables
        .iter()
        .map(|variable| {
            let value = json!({
                "type": "string",
                "description": variable.description,
                "required": variable.required,
                "sensitive": variable.sensitive,
            });
            (variable.name.as_str(), value)
        })
        .collect()
}

fn compiler_settings() -> Value {
    json!({
        "compilerOptions": {
            "target": "es2022",
            "lib": ["es2023"],
            "types": ["node"],
            "module": "esnext",
            // The types of @elizaos/core resolve in no other way.
            "moduleResolution": "bundler",
            "strict": true,
            "noUncheckedIndexedAccess": true,
            "exactOptionalPropertyTypes": true,
            "noImplicitOverride": true,
            "verbatimModuleSyntax": true,
            "isolatedModules": true,
            "skipLibCheck": true,
            "noEmit": true,
        },
        "include": ["src", "__tests__"],
    })
}

fn build_settings() -> Value {
    json!({
        "extends": "./tsconfig.json",
        "compilerOptions": {
            "noEmit": false,
            "declaration": true,
            "emitDeclarationOnly": true,
            "rootDir": "src",
            "outDir": "dist",
        },
        "include": ["src"],
    })
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn licence(specification: &Specification) -> String {
    format!(
        include_str!("../../../templates/plugin/LICENSE.txt"),
        name = specification.name
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::specification::parse;

    fn specification() -> Specification {
        parse(&json!({
            "name": "@acme/plugin-a",
            "description": "Does\na thing.",
            "services": [{ "name": "a_thing", "description": "x" }],
            "dependencies": { "zod": "^3.0.0", "@elizaos/core": "^1.7.0" },
            "environmentVariables": [{ "name": "A_TOKEN", "description": "its token", "required": true }],
        }))
        .unwrap()
    }

    #[test]
    fn the_manifest_declares_what_the_agent_must_know() {
        let files = scaffold(&specification(), &FileSet::new());
        let manifest: Value = serde_json::from_slice(&files["package.json"]).unwrap();
        assert_eq!(manifest["version"], FIRST_VERSION);
        assert_eq!(manifest["description"], "Does a thing.");
        assert_eq!(manifest["dependencies"], json!({ "zod": "^3.0.0" }));
        assert_eq!(manifest["peerDependencies"], json!({ "@elizaos/core": "^1.7.0" }));
        assert_eq!(
            manifest["agentConfig"]["pluginParameters"]["A_TOKEN"]["sensitive"],
            true
        );
        assert_eq!(
            manifest["exports"]["."].as_object().unwrap().keys().next().unwrap(),
            "types"
        );
        assert!(files.keys().all(|path| crate::files::check_path(path).is_ok()));
    }

    #[test]
    fn the_same_specification_gives_the_same_bytes() {
        assert_eq!(
            scaffold(&specification(), &FileSet::new()),
            scaffold(&specification(), &FileSet::new())
        );
    }
}
