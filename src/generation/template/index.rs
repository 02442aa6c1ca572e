//! The plugin object and the test of it.

use std::fmt::Write;

use super::literal::quoted;
use super::naming::kebab;
use super::{action_export, evaluator_export, index_export, provider_export, service_export};
use crate::specification::Specification;

/// Export, file and name of every component of a kind.
type Parts = Vec<(String, String, String)>;

fn parts(specification: &Specification) -> [(&'static str, Parts); 4] {
    let part = |export: String, name: &str| (export, kebab(name), name.to_owned());
    [
        (
            "actions",
            specification
                .actions
                .iter()
                .map(|it| part(action_export(it), &it.name))
                .collect(),
        ),
        (
            "providers",
            specification
                .providers
                .iter()
                .map(|it| part(provider_export(it), &it.name))
                .collect(),
        ),
        (
            "services",
            specification
                .services
                .iter()
                .map(|it| part(service_export(it), &it.name))
                .collect(),
        ),
        (
            "evaluators",
            specification
                .evaluators
                .iter()
                .map(|it| part(evaluator_export(it), &it.name))
                .collect(),
        ),
    ]
}

pub(super) fn source(specification: &Specification) -> String {
    let mut text = "import type { Plugin } from '@elizaos/core'\n".to_owned();
    let parts = parts(specification);
    for (kind, list) in &parts {
        for (export, file, _) in list {
            let _ = writeln!(text, "import {{ {export} }} from './{kind}/{file}.js'");
        }
    }
    let export = index_export(specification);
    let _ = write!(
        text,
        "\nexport const {export}: Plugin = {{\n  name: {},\n  description: {},\n",
        quoted(&specification.name),
        quoted(&specification.description)
    );
    for (kind, list) in parts.iter().filter(|(_, list)| !list.is_empty()) {
        let exports: Vec<&str> = list.iter().map(|(export, _, _)| export.as_str()).collect();
        let _ = writeln!(text, "  {kind}: [{}],", exports.join(", "));
    }
    let _ = write!(text, "}}\n\nexport default {export}\n");
    text
}

pub(super) fn test(specification: &Specification) -> String {
    let mut text = format!(
        "import {{ describe, expect, it }} from 'vitest'\nimport plugin from '../src/index.js'\n\n\
         describe('the plugin', () => {{\n  it('has its name and a description', () => {{\n    \
         expect(plugin.name).toBe({})\n    expect(plugin.description).not.toBe('')\n  }})\n\n  \
         it('brings no model of its own', () => {{\n    expect(plugin.models).toBeUndefined()\n  }})\n",
        quoted(&specification.name)
    );
    for (kind, list) in parts(specification) {
        if list.is_empty() {
            continue;
        }
        let field = if kind == "services" { "serviceType" } else { "name" };
        let names: Vec<String> = list.iter().map(|(_, _, name)| quoted(name)).collect();
        let _ = write!(
            text,
            "\n  it('has its {kind}', () => {{\n    \
             expect(plugin.{kind}?.map((item) => item.{field})).toEqual([{}])\n  }})\n",
            names.join(", ")
        );
    }
    text.push_str("})\n");
    text
}
