//! A plugin's sources and tests without a model: every file is complete.

#[cfg(test)]
mod dump;
mod http_test;
mod index;
mod literal;
mod model_test;
mod naming;
mod sample;
mod source;

use crate::files::FileSet;
use crate::specification::{Action, Evaluator, Provider, Service, Specification};
use naming::{camel, kebab, pascal, plugin_export};

const ANSWER: &str = include_str!("../../../templates/plugin/src/support/answer.ts");
const MODEL: &str = include_str!("../../../templates/plugin/src/support/model.ts");
const PARAMETERS: &str = include_str!("../../../templates/plugin/src/support/parameters.ts");
const REQUEST: &str = include_str!("../../../templates/plugin/src/support/request.ts");
const SETTINGS: &str = include_str!("../../../templates/plugin/src/support/settings.ts");
const HELPERS: &str = include_str!("../../../templates/plugin/__tests__/helpers.ts");

/// The files of `src/` and `__tests__/`.
pub fn generate(specification: &Specification) -> FileSet {
    let mut files = FileSet::new();
    let mut put = |path: String, text: String| {
        files.insert(path, text.into_bytes());
    };
    put("src/index.ts".into(), index::source(specification));
    put("__tests__/index.test.ts".into(), index::test(specification));
    put("__tests__/helpers.ts".into(), HELPERS.into());
    for action in &specification.actions {
        put(
            action_path(action, "src/actions/", ".ts"),
            source::action(specification, action),
        );
        let test = match &action.http {
            Some(http) => http_test::action(specification, action, http),
            None => model_test::action(action),
        };
        put(action_path(action, "__tests__/actions/", ".test.ts"), test);
    }
    for provider in &specification.providers {
        let name = kebab(&provider.name);
        put(
            format!("src/providers/{name}.ts"),
            source::provider(specification, provider),
        );
        let test = match &provider.http {
            Some(http) => http_test::provider(specification, provider, http),
            None => model_test::provider(provider),
        };
        put(format!("__tests__/providers/{name}.test.ts"), test);
    }
    for service in &specification.services {
        let name = kebab(&service.name);
        put(format!("src/services/{name}.ts"), source::service(service));
        put(
            format!("__tests__/services/{name}.test.ts"),
            model_test::service(service),
        );
    }
    for evaluator in &specification.evaluators {
        let name = kebab(&evaluator.name);
        put(format!("src/evaluators/{name}.ts"), source::evaluator(evaluator));
        put(
            format!("__tests__/evaluators/{name}.test.ts"),
            model_test::evaluator(evaluator),
        );
    }
    let has_actions = !specification.actions.is_empty();
    let requests = specification.actions.iter().any(|action| action.http.is_some())
        || specification.providers.iter().any(|provider| provider.http.is_some());
    let asks = !specification.evaluators.is_empty()
        || specification.providers.iter().any(|provider| provider.http.is_none())
        || specification.services.iter().any(|service| !service.methods.is_empty());
    if has_actions || requests {
        put("src/support/answer.ts".into(), ANSWER.into());
        put("src/support/parameters.ts".into(), PARAMETERS.into());
    }
    if has_actions || requests || asks {
        put("src/support/model.ts".into(), MODEL.into());
    }
    if requests {
        put("src/support/request.ts".into(), REQUEST.into());
        put("src/support/settings.ts".into(), settings(specification));
    }
    files
}

/// The reader of settings, with one line a declared variable.
fn settings(specification: &Specification) -> String {
    let names = specification
        .environment_variables
        .iter()
        .map(|variable| &variable.name);
    let readers: String = names
        .map(|name| format!("  {name}: () => process.env.{name},\n"))
        .collect();
    SETTINGS.replace("  // READERS\n", &readers)
}

fn action_path(action: &Action, folder: &str, ending: &str) -> String {
    format!("{folder}{}{ending}", kebab(&action.name))
}

fn action_export(action: &Action) -> String {
    format!("{}Action", camel(&action.name))
}

fn provider_export(provider: &Provider) -> String {
    format!("{}Provider", camel(&provider.name))
}

fn service_export(service: &Service) -> String {
    let name = pascal(&service.name);
    if name.ends_with("Service") && name != "Service" {
        name
    } else {
        format!("{name}Service")
    }
}

fn evaluator_export(evaluator: &Evaluator) -> String {
    format!("{}Evaluator", camel(&evaluator.name))
}

fn index_export(specification: &Specification) -> String {
    plugin_export(&specification.name)
}
