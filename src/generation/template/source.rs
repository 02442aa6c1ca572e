//! The files of `src/`.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::literal::{fill, literal, quoted};
use super::naming::camel;
use super::{action_export, evaluator_export, provider_export, sample, service_export};
use crate::specification::{
    Action, DEFAULT_HTTP_TIMEOUT, Evaluator, Http, Parameter, ParameterKind, Provider, Service, Specification, Step,
};

const HTTP_ACTION: &str = include_str!("../../../templates/plugin/parts/http-action.txt");
const MODEL_ACTION: &str = include_str!("../../../templates/plugin/parts/model-action.txt");
const HTTP_PROVIDER: &str = include_str!("../../../templates/plugin/parts/http-provider.txt");
const MODEL_PROVIDER: &str = include_str!("../../../templates/plugin/parts/model-provider.txt");
const SERVICE: &str = include_str!("../../../templates/plugin/parts/service.txt");
const SERVICE_METHODS: &str = include_str!("../../../templates/plugin/parts/service-methods.txt");
const EVALUATOR: &str = include_str!("../../../templates/plugin/parts/evaluator.txt");

pub(super) fn action(specification: &Specification, action: &Action) -> String {
    let parameters: Map<String, Value> = action
        .parameters
        .iter()
        .map(|(name, parameter)| (name.clone(), declaration(parameter)))
        .collect();
    let request = action
        .http
        .as_ref()
        .map(|http| request(specification, http))
        .unwrap_or_default();
    let said = action
        .http
        .as_ref()
        .map(|http| said(http, &action.name))
        .unwrap_or_default();
    let template = if action.http.is_some() {
        HTTP_ACTION
    } else {
        MODEL_ACTION
    };
    let values = [
        ("name", quoted(&action.name)),
        ("parameters", literal(&Value::Object(parameters), 0)),
        ("request", request),
        ("export", action_export(action)),
        ("description", quoted(&action.description)),
        ("examples", examples(action)),
        ("phrase", quoted(&said)),
    ];
    fill_all(template, &values)
}

pub(super) fn provider(specification: &Specification, provider: &Provider) -> String {
    let failure = quoted(&format!("{} is not available.", provider.name));
    let name = quoted(&provider.name);
    let export = provider_export(provider);
    let description = quoted(&provider.description);
    let value = camel(&provider.name);
    if let Some(http) = &provider.http {
        let values = [
            ("request", request(specification, http)),
            ("export", export),
            ("name", name),
            ("description", description),
            ("phrase", quoted(&said(http, &provider.name))),
            ("value", value),
            ("failure", failure),
        ];
        return fill_all(HTTP_PROVIDER, &values);
    }
    let structure = provider.data_structure.as_ref();
    let result = if structure.is_some() {
        "      const result = jsonObjectIn(done.text)\n      \
         if (result === undefined) return failed('The model did not answer in the structure that was asked for.')"
    } else {
        "      const result = done.text"
    };
    let values = [
        (
            "imports",
            if structure.is_some() {
                "carryOut, jsonObjectIn"
            } else {
                "carryOut"
            }
            .to_owned(),
        ),
        (
            "structure",
            structure
                .map(|it| format!("\nconst STRUCTURE = {}\n", literal(it, 0)))
                .unwrap_or_default(),
        ),
        (
            "argument",
            structure.map(|_| ", STRUCTURE".to_owned()).unwrap_or_default(),
        ),
        ("result", result.to_owned()),
        ("export", export),
        ("name", name),
        ("description", description),
        ("value", value),
        ("failure", failure),
    ];
    fill_all(MODEL_PROVIDER, &values)
}

pub(super) fn service(service: &Service) -> String {
    let class = service_export(service);
    let mut methods = String::new();
    for method in &service.methods {
        let what = if method.description.is_empty() {
            &service.description
        } else {
            &method.description
        };
        let task = quoted(&format!("{}: {what}", method.name));
        let _ = write!(
            methods,
            "\n  async {}(input: Record<string, unknown> = {{}}): Promise<{class}Answer> {{\n    \
             return await this.carry({task}, input)\n  }}\n",
            method.name
        );
    }
    let imports = if service.methods.is_empty() {
        ""
    } else {
        "import { carryOut } from '../support/model.js'\n"
    };
    if !service.methods.is_empty() {
        methods.push_str(&fill(SERVICE_METHODS, &[("class", &class)]));
    }
    let values = [
        ("imports", imports.to_owned()),
        ("class", class),
        ("name", quoted(&service.name)),
        ("description", quoted(&service.description)),
        ("methods", methods),
    ];
    fill_all(SERVICE, &values)
}

pub(super) fn evaluator(evaluator: &Evaluator) -> String {
    let values = [
        ("name", quoted(&evaluator.name)),
        ("description", quoted(&evaluator.description)),
        ("triggers", literal(&json!(evaluator.triggers), 0)),
        ("export", evaluator_export(evaluator)),
    ];
    fill_all(EVALUATOR, &values)
}

fn fill_all(template: &str, values: &[(&str, String)]) -> String {
    let borrowed: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    fill(template, &borrowed)
}

fn declaration(parameter: &Parameter) -> Value {
    let mut map = Map::new();
    let kind = match parameter.kind {
        ParameterKind::String => "string",
        ParameterKind::Number => "number",
        ParameterKind::Integer => "integer",
        ParameterKind::Boolean => "boolean",
    };
    map.insert("type".into(), json!(kind));
    map.insert("description".into(), json!(parameter.description));
    map.insert("required".into(), json!(parameter.required));
    if !parameter.choices.is_empty() {
        map.insert("enum".into(), json!(parameter.choices));
    }
    if let Some(default) = &parameter.default {
        map.insert("default".into(), default.clone());
    }
    Value::Object(map)
}

fn request(specification: &Specification, http: &Http) -> String {
    let place: Vec<Value> = http
        .place()
        .into_iter()
        .map(|step| match step {
            Step::Key(key) => json!(key),
            Step::Index(index) => json!(index),
        })
        .collect();
    let mut map = Map::new();
    map.insert("method".into(), json!(http.method.as_str()));
    map.insert("url".into(), json!(http.url));
    map.insert("query".into(), json!(http.query));
    map.insert("headers".into(), json!(http.headers));
    if let Some(body) = &http.body {
        map.insert("body".into(), body.clone());
    }
    map.insert("place".into(), json!(place));
    map.insert("timeout".into(), json!(http.timeout.unwrap_or(DEFAULT_HTTP_TIMEOUT)));
    map.insert("needs".into(), json!(sample::needs(specification, http)));
    literal(&Value::Object(map), 0)
}

fn said(http: &Http, name: &str) -> String {
    if http.phrase.is_empty() {
        format!("{name}: {{result}}")
    } else {
        http.phrase.clone()
    }
}

/// One exchange that shows the agent when to choose the action.
fn examples(action: &Action) -> String {
    let ask = if action.parameters.is_empty() {
        action.description.clone()
    } else {
        let pairs: Vec<String> = action
            .parameters
            .iter()
            .map(|(name, parameter)| format!("{name}: {}", sample::text(&sample::value(name, parameter))))
            .collect();
        format!("{} ({})", action.description, pairs.join(", "))
    };
    let value = json!([[
        { "name": "{{name1}}", "content": { "text": ask } },
        { "name": "{{name2}}", "content": { "text": "I will do that now.", "actions": [action.name] } },
    ]]);
    literal(&value, 1)
}
