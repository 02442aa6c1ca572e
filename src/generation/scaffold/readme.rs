//! The README of a generated package.

use std::fmt::Write;

use crate::files::FileSet;
use crate::specification::{Action, Http, Specification};

pub(super) fn readme(specification: &Specification, generated: &FileSet) -> String {
    let mut text = format!(
        "# {name}\n\n{description}\n\n## Install\n\n```sh\nnpm install {name}\n```\n\nThen name it in the character:\n\n\
         ```json\n{{ \"plugins\": [\"{name}\"] }}\n```\n",
        name = specification.name,
        description = plain(&specification.description),
    );
    settings(&mut text, specification);
    if !specification.actions.is_empty() {
        text.push_str("\n## Actions\n");
        for action in &specification.actions {
            describe_action(&mut text, action);
        }
    }
    let mut carried = Vec::new();
    carried.extend(
        specification
            .actions
            .iter()
            .filter(|it| it.http.is_none())
            .map(|it| it.name.as_str()),
    );
    if !specification.providers.is_empty() {
        text.push_str("\n## Providers\n\n");
        for provider in &specification.providers {
            let asks = provider.http.as_ref().map(asks).unwrap_or_default();
            let _ = writeln!(
                text,
                "- `{}`: {}{asks}",
                provider.name,
                sentence(&cell(&provider.description))
            );
        }
        carried.extend(
            specification
                .providers
                .iter()
                .filter(|it| it.http.is_none())
                .map(|it| it.name.as_str()),
        );
    }
    if !specification.services.is_empty() {
        text.push_str("\n## Services\n\n");
        for service in &specification.services {
            let _ = writeln!(text, "- `{}`: {}", service.name, cell(&service.description));
            for method in &service.methods {
                let _ = writeln!(text, "  - `{}()` {}", method.name, cell(&method.description));
            }
            if !service.methods.is_empty() {
                carried.push(&service.name);
            }
        }
    }
    if !specification.evaluators.is_empty() {
        text.push_str("\n## Evaluators\n\n");
        for evaluator in &specification.evaluators {
            let _ = write!(
                text,
                "- `{}`: {}",
                evaluator.name,
                sentence(&cell(&evaluator.description))
            );
            if !evaluator.triggers.is_empty() {
                let _ = write!(
                    text,
                    " Looks at messages with: {}.",
                    cell(&evaluator.triggers.join(", "))
                );
            }
            text.push('\n');
            carried.push(&evaluator.name);
        }
    }
    if !carried.is_empty() {
        let _ = write!(
            text,
            "\n## Carried out by a model\n\nThe specification gives no web service for these, so unless their source says otherwise they are \
             carried out by the agent's own model, from their description and parameters. What they answer is as good as that model; the checks show \
             that they run and answer in the right form, not that the answer is right.\n\n- `{}`\n",
            carried.join("`\n- `")
        );
    }
    checks(&mut text, generated);
    text
}

fn settings(text: &mut String, specification: &Specification) {
    text.push_str("\n## Settings\n\n");
    if specification.environment_variables.is_empty() {
        text.push_str("None.\n");
        return;
    }
    text.push_str("Read from the agent's settings, then from the environment.\n\n| name | what | required | secret |\n|---|---|---|---|\n");
    for variable in &specification.environment_variables {
        let yes = |flag: bool| if flag { "yes" } else { "no" };
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} |",
            variable.name,
            cell(&variable.description),
            yes(variable.required),
            yes(variable.sensitive)
        );
    }
}

fn describe_action(text: &mut String, action: &Action) {
    let asks = action.http.as_ref().map(asks).unwrap_or_default();
    let _ = write!(
        text,
        "\n### `{}`\n\n{}{asks}\n",
        action.name,
        sentence(&plain(&action.description))
    );
    if action.parameters.is_empty() {
        return;
    }
    text.push_str("\n| parameter | type | what | required |\n|---|---|---|---|\n");
    for (name, parameter) in &action.parameters {
        let kind = serde_json::to_value(parameter.kind).unwrap_or_default();
        let mut what = sentence(&parameter.description);
        if !parameter.choices.is_empty() {
            let choices: Vec<String> = parameter.choices.iter().map(ToString::to_string).collect();
            let _ = write!(what, " One of {}.", choices.join(", "));
        }
        if let Some(default) = &parameter.default {
            let _ = write!(what, " Default: {default}.");
        }
        let required = if parameter.required && parameter.default.is_none() {
            "yes"
        } else {
            "no"
        };
        let _ = writeln!(
            text,
            "| `{name}` | {} | {} | {required} |",
            kind.as_str().unwrap_or("string"),
            cell(&what)
        );
    }
    let names: Vec<String> = action.parameters.keys().map(|name| format!("{name}: …")).collect();
    let _ = write!(
        text,
        "\nFor example: say what you want in your own words, or `{}` with {}.\n",
        action.name,
        cell(&format!("`{}`", names.join(", ")))
    );
}

fn asks(http: &Http) -> String {
    format!(
        " Asks `{} {}`.",
        http.method.as_str(),
        http.url.split('?').next().unwrap_or_default().replace('`', "")
    )
}

fn checks(text: &mut String, generated: &FileSet) {
    let tests = generated.keys().filter(|path| path.ends_with(".test.ts")).count();
    let _ = write!(
        text,
        "\n## How it was checked\n\n`report.json`, where this plugin was created, lists every check that ran, where, and how it went. \
         The package has {tests} test files; run them and the other checks yourself:\n\n```sh\nnpm install\nnpm run typecheck\nnpm run lint\n\
         npm test\nnpm run build\n```\n"
    );
}

/// A text of the specification in running text: it cannot open a heading, a fence or HTML, nor make a link or an
/// image, which a reader's browser would fetch.
fn plain(text: &str) -> String {
    let escape = |line: &str| {
        let line = line.trim().replace('<', "&lt;").replace('`', "'").replace('[', "\\[");
        if line.starts_with(['#', '-', '*', '>', '=', '~', '|']) {
            format!("\\{line}")
        } else {
            line
        }
    };
    text.lines().map(escape).collect::<Vec<_>>().join("\n")
}

/// The same on one line of a table.
fn cell(text: &str) -> String {
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('|', "\\|")
        .replace('<', "&lt;")
        .replace('[', "\\[")
}

/// The text with an end that another sentence may follow.
fn sentence(text: &str) -> String {
    let ends = text.is_empty() || text.ends_with(['.', '!', '?', ':']);
    if ends { text.to_owned() } else { format!("{text}.") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_makes_no_link_image_heading_or_html() {
        let hostile = "# Sure\n![seen](https://evil.example/pixel) [open](javascript:0) <b>x</b>";
        assert_eq!(
            plain(hostile),
            "\\# Sure\n!\\[seen](https://evil.example/pixel) \\[open](javascript:0) &lt;b>x&lt;/b>"
        );
        assert_eq!(cell("a ![i](u) | b"), "a !\\[i](u) \\| b");
    }
}
