//! Tests of what asks a web service: it is run against a local one.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::literal::{literal, quoted};
use super::naming::kebab;
use super::{action_export, model_test, provider_export, sample};
use crate::specification::{Action, Http, Provider, Specification, placeholders};

pub(super) fn action(specification: &Specification, action: &Action, http: &Http) -> String {
    let export = action_export(action);
    let file = kebab(&action.name);
    let values = sample::values(action);
    let needs = sample::needs(specification, http);
    let mut text = head(&export, "actions", &file, "agent, hurry, restore, run, serve");
    let object: Map<String, Value> = values.clone().into_iter().collect();
    let _ = writeln!(text, "const parameters = {}\n", literal(&Value::Object(object), 0));
    answers(&mut text, http);
    settings(&mut text, http);
    let _ = writeln!(
        text,
        "afterEach(restore)\n\ndescribe({}, () => {{",
        quoted(&action.name)
    );
    let (expected, asserts) = request_checks(http, &values);
    let shown = phrase(http, &values, &action.name);
    let _ = write!(
        text,
        "  it('returns the value at its place and says it', async () => {{
    const exchanges = await serve({{ text: ANSWER }})
    const {{ result, said }} = await run({export}, agent({{ settings }}).runtime, {{ parameters }})
    expect(result.success).toBe(true)
    expect(result.text).toBe({shown})
    expect(result.data?.['actionName']).toBe({name})
    expect(result.data?.['result']).toEqual(RESULT)
    expect(said.map((content) => content.text)).toEqual([{shown}])
    expect(exchanges).toHaveLength(1)
{expected}{asserts}  }})\n",
        shown = quoted(&shown),
        name = quoted(&action.name),
    );
    if !values.is_empty() {
        let _ = write!(
            text,
            "
  it('takes its parameters from the plan of several steps', async () => {{
    await serve({{ text: ANSWER }})
    const {{ result }} = await run({export}, agent({{ settings }}).runtime, {{ actionParams: parameters }})
    expect(result.data?.['parameters']).toEqual(parameters)
  }})

  it('takes its parameters from JSON in the message', async () => {{
    await serve({{ text: ANSWER }})
    const {{ result }} = await run({export}, agent({{ settings }}).runtime, {{ text: JSON.stringify(parameters) }})
    expect(result.data?.['parameters']).toEqual(parameters)
  }})

  it('lets the model of the agent read the message', async () => {{
    await serve({{ text: ANSWER }})
    const {{ runtime, prompts }} = agent({{ settings, model: `Here it is: ${{JSON.stringify(parameters)}}` }})
    const {{ result }} = await run({export}, runtime, {{ text: 'please do it' }})
    expect(result.data?.['parameters']).toEqual(parameters)
    expect(prompts).toHaveLength(1)
  }})\n"
        );
    }
    model_test::refusals(&mut text, action, &export, true);
    let call = |setup: &str, settings: &str| {
        format!(
            "{setup}    const {{ result }} = await run({export}, agent({{{settings}}}).runtime, {{ parameters }})\n    \
             expect(result.success).toBe(false)\n    expect(result.text).toBeTruthy()\n"
        )
    };
    failures(&mut text, http, &needs, &call);
    text.push_str("})\n");
    text
}

pub(super) fn provider(specification: &Specification, provider: &Provider, http: &Http) -> String {
    let export = provider_export(provider);
    let file = kebab(&provider.name);
    let needs = sample::needs(specification, http);
    let mut text = head(
        &export,
        "providers",
        &file,
        "agent, hurry, message, noState, restore, serve",
    );
    answers(&mut text, http);
    settings(&mut text, http);
    let _ = writeln!(
        text,
        "afterEach(restore)\n\ndescribe({}, () => {{",
        quoted(&provider.name)
    );
    let (expected, asserts) = request_checks(http, &BTreeMap::new());
    let shown = quoted(&phrase(http, &BTreeMap::new(), &provider.name));
    let _ = write!(
        text,
        "  it('gives the value at its place', async () => {{
    const exchanges = await serve({{ text: ANSWER }})
    const given = await {export}.get(agent({{ settings }}).runtime, message('hello'), noState)
    expect(given.text).toBe({shown})
    expect(given.data?.['result']).toEqual(RESULT)
    expect(exchanges).toHaveLength(1)
{expected}{asserts}  }})

  it('runs only when the agent wants it', () => {{
    expect({export}.dynamic).toBe(true)
  }})\n"
    );
    let call = |setup: &str, settings: &str| {
        format!(
            "{setup}    const given = await {export}.get(agent({{{settings}}}).runtime, message('hello'), noState)\n    \
             expect(given.text).toBeTruthy()\n    expect(given.data?.['error']).toBe(given.text)\n    \
             expect(given.data?.['result']).toBeUndefined()\n"
        )
    };
    failures(&mut text, http, &needs, &call);
    text.push_str("})\n");
    text
}

fn head(export: &str, folder: &str, file: &str, helpers: &str) -> String {
    format!(
        "import {{ afterEach, describe, expect, it }} from 'vitest'\n\
         import {{ {export} }} from '../../src/{folder}/{file}.js'\n\
         import {{ {helpers} }} from '../helpers.js'\n\n"
    )
}

fn answers(text: &mut String, http: &Http) {
    let result = result_value(http);
    let answer = sample::answer(http, &result);
    let _ = writeln!(
        text,
        "const RESULT = {}\nconst ANSWER = {}\n",
        literal(&result, 0),
        quoted(&answer.to_string())
    );
}

fn settings(text: &mut String, http: &Http) {
    let map: Map<String, Value> = http
        .variables()
        .into_iter()
        .map(|name| (name, json!(sample::SETTING)))
        .collect();
    let _ = writeln!(
        text,
        "const settings: Record<string, string> = {}\n",
        literal(&Value::Object(map), 0)
    );
}

fn result_value(http: &Http) -> Value {
    if http.place().is_empty() {
        json!({ "value": 21.5 })
    } else {
        json!(21.5)
    }
}

fn phrase(http: &Http, values: &BTreeMap<String, Value>, name: &str) -> String {
    let template = if http.phrase.is_empty() {
        format!("{name}: {{result}}")
    } else {
        http.phrase.clone()
    };
    let mut all = values.clone();
    all.insert("result".into(), json!(result_value(http).to_string()));
    let text = sample::filled(&template, &all, false);
    if text.trim().is_empty() {
        "Done.".to_owned()
    } else {
        text
    }
}

/// What the web service must have been asked.
fn request_checks(http: &Http, values: &BTreeMap<String, Value>) -> (String, String) {
    let url = sample::filled(&http.url, values, true);
    let mut expected = format!("    const expected = new URL({})\n", quoted(&url));
    for (name, template) in &http.query {
        let value = sample::filled(template, values, false);
        let _ = writeln!(
            expected,
            "    expected.searchParams.append({}, {})",
            quoted(name),
            quoted(&value)
        );
    }
    let mut asserts = format!(
        "    expect(exchanges[0]?.method).toBe('{}')\n    expect(exchanges[0]?.url.pathname).toBe(expected.pathname)\n    \
         expect(exchanges[0]?.url.search).toBe(expected.search)\n",
        http.method.as_str()
    );
    for (name, template) in &http.headers {
        // Header values in the tests are plain ASCII only where no parameter is filled in.
        if placeholders(template).is_empty() || values.is_empty() {
            let value = sample::filled(template, values, false);
            let name = name.to_ascii_lowercase();
            let _ = writeln!(
                asserts,
                "    expect(exchanges[0]?.headers[{}]).toBe({})",
                quoted(&name),
                quoted(value.trim())
            );
        }
    }
    if let Some(body) = &http.body {
        let body = literal(&sample::filled_json(body, values), 2);
        let _ = writeln!(
            asserts,
            "    expect(JSON.parse(exchanges[0]?.body ?? '')).toEqual({body})"
        );
    }
    (expected, asserts)
}

/// The ways in which a web service fails.
fn failures(text: &mut String, http: &Http, needs: &[String], call: &dyn Fn(&str, &str) -> String) {
    let mut add = |name: &str, body: String| {
        let _ = write!(text, "\n  it('{name}', async () => {{\n{body}  }})\n");
    };
    let serve = |reply: &str| format!("    await serve({reply})\n");
    add(
        "fails on an HTTP error",
        call(&serve("{ status: 500, text: ANSWER }"), " settings "),
    );
    add(
        "fails on an answer that is not JSON",
        call(&serve("{ text: '<html>' }"), " settings "),
    );
    if !http.place().is_empty() {
        add(
            "fails when there is no value at the place",
            call(&serve("{ text: '[]' }"), " settings "),
        );
    }
    let hang = format!("{}    hurry()\n", serve("{ text: '', hang: true }"));
    add("fails when no answer comes in time", call(&hang, " settings "));
    for name in needs {
        let setup = format!(
            "    const exchanges = await serve({{ text: ANSWER }})\n    delete process.env['{name}']\n    \
             const {{ {name}: _absent, ...others }} = settings\n"
        );
        let body = call(&setup, " settings: others ") + "    expect(exchanges).toHaveLength(0)\n";
        add(&format!("asks nothing without the setting {name}"), body);
    }
}
