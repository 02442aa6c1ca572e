//! Tests of what the agent's model carries out, and of refused parameters.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::literal::{literal, quoted};
use super::naming::kebab;
use super::{action_export, evaluator_export, provider_export, sample, service_export};
use crate::specification::{Action, Evaluator, Provider, Service};

pub(super) fn action(action: &Action) -> String {
    let export = action_export(action);
    let mut text = head(&export, "actions", &kebab(&action.name), "agent, run");
    let values: Map<String, Value> = sample::values(action).into_iter().collect();
    let _ = writeln!(text, "const parameters = {}\n", literal(&Value::Object(values), 0));
    let _ = write!(
        text,
        "describe({name}, () => {{
  it('returns and says what the model of the agent made', async () => {{
    const {{ runtime, prompts }} = agent({{ model: 'done as asked' }})
    const {{ result, said }} = await run({export}, runtime, {{ parameters }})
    expect(result).toEqual({{
      success: true,
      text: 'done as asked',
      data: {{ actionName: {name}, result: 'done as asked', parameters }},
    }})
    expect(said.map((content) => content.text)).toEqual(['done as asked'])
    expect(prompts[0]).toContain(JSON.stringify(parameters))
  }})

  it('fails without the words of the provider when the model fails', async () => {{
    const {{ runtime }} = agent({{ model: new Error('internal words') }})
    const {{ result }} = await run({export}, runtime, {{ parameters }})
    expect(result.success).toBe(false)
    expect(result.text).not.toContain('internal words')
  }})

  it('fails when the model says nothing', async () => {{
    const {{ result }} = await run({export}, agent({{ model: ' ' }}).runtime, {{ parameters }})
    expect(result.success).toBe(false)
    expect(result.text).toBeTruthy()
  }})\n",
        name = quoted(&action.name),
    );
    refusals(&mut text, action, &export, false);
    text.push_str("})\n");
    text
}

/// One test for each parameter that can be missing or wrong.
pub(super) fn refusals(text: &mut String, action: &Action, export: &str, http: bool) {
    let (setup, runtime, nothing) = if http {
        (
            "    const exchanges = await serve({ text: ANSWER })\n",
            "agent({ settings }).runtime",
            "    expect(exchanges).toHaveLength(0)\n",
        )
    } else {
        (
            "    const { runtime, prompts } = agent({ model: 'done' })\n",
            "runtime",
            "    expect(prompts).toHaveLength(0)\n",
        )
    };
    for (name, parameter) in &action.parameters {
        if parameter.required && parameter.default.is_none() {
            let _ = write!(
                text,
                "\n  it('refuses to run without {name}', async () => {{\n{setup}    const {{ {name}: _absent, ...others }} = parameters
    const {{ result }} = await run({export}, {runtime}, {{ parameters: others }})
    expect(result.success).toBe(false)
    expect(result.text).toContain('{name}')
    expect(result.data?.['actionName']).toBe({action})\n{nothing}  }})\n",
                action = quoted(&action.name),
            );
        }
        let wrong = sample::wrong(parameter);
        let _ = write!(
                text,
                "\n  it('refuses a wrong {name}', async () => {{\n{setup}    const {{ result }} = await run({export}, {runtime}, {{ parameters: {{ ...parameters, {name}: {wrong} }} }})
    expect(result.success).toBe(false)
    expect(result.text).toContain('{name}')\n{nothing}  }})\n",
                wrong = literal(&wrong, 2),
            );
    }
}

pub(super) fn provider(provider: &Provider) -> String {
    let export = provider_export(provider);
    let mut text = head(&export, "providers", &kebab(&provider.name), "agent, message, noState");
    let (answer, result) = if provider.data_structure.is_some() {
        (quoted("Here: {\"value\": 21.5}"), literal(&json!({ "value": 21.5 }), 2))
    } else {
        (quoted("all is well"), quoted("all is well"))
    };
    let _ = write!(
        text,
        "describe({name}, () => {{
  it('gives what the model of the agent made', async () => {{
    const given = await {export}.get(agent({{ model: {answer} }}).runtime, message('hello'), noState)
    expect(given.text).toBe({answer})
    expect(given.data?.['result']).toEqual({result})
  }})

  it('says what failed and never throws', async () => {{
    const given = await {export}.get(agent({{ model: new Error('no') }}).runtime, message('hello'), noState)
    expect(given.text).toBeTruthy()
    expect(given.data?.['error']).toBe(given.text)
    expect(given.data?.['result']).toBeUndefined()
  }})

  it('runs only when the agent wants it', () => {{
    expect({export}.dynamic).toBe(true)
  }})
}})\n",
        name = quoted(&provider.name),
    );
    text
}

pub(super) fn service(service: &Service) -> String {
    let class = service_export(service);
    let mut text = head(&class, "services", &kebab(&service.name), "agent");
    let _ = write!(
        text,
        "describe({name}, () => {{
  it('starts under its type and stops twice', async () => {{
    const service = await {class}.start(agent().runtime)
    expect({class}.serviceType).toBe({name})
    expect(service.capabilityDescription).not.toBe('')
    await service.stop()
    await service.stop()
  }})\n",
        name = quoted(&service.name),
    );
    for method in &service.methods {
        let _ = write!(
            text,
            "
  it('{method} answers with what the model of the agent made', async () => {{
    const {{ runtime, prompts }} = agent({{ model: 'done as asked' }})
    const service = await {class}.start(runtime)
    expect(await service.{method}({{ topic: 'tea' }})).toEqual({{ success: true, text: 'done as asked' }})
    expect(prompts[0]).toContain('tea')
    await service.stop()
  }})

  it('{method} never rejects', async () => {{
    const service = await {class}.start(agent({{ model: new Error('no') }}).runtime)
    expect((await service.{method}()).success).toBe(false)
    await service.stop()
    expect(await service.{method}()).toEqual({{ success: false, text: 'The service is stopped.' }})
  }})\n",
            method = method.name,
        );
    }
    text.push_str("})\n");
    text
}

pub(super) fn evaluator(evaluator: &Evaluator) -> String {
    let export = evaluator_export(evaluator);
    let mut text = head(
        &export,
        "evaluators",
        &kebab(&evaluator.name),
        "agent, message, noState",
    );
    let name = quoted(&evaluator.name);
    let hit = evaluator.triggers.first().map_or_else(
        || "anything".to_owned(),
        |trigger| format!("I said {} today", trigger.to_ascii_uppercase()),
    );
    let _ = write!(
        text,
        "describe({name}, () => {{
  it('looks at the messages that it is for', async () => {{
    expect(await {export}.validate(agent().runtime, message({hit}), noState)).toBe(true)
  }})

  it('returns what the model of the agent made', async () => {{
    const result = await {export}.handler(agent({{ model: 'noted' }}).runtime, message('hello'), noState)
    expect(result).toEqual({{ success: true, text: 'noted', data: {{ evaluatorName: {name}, result: 'noted' }} }})
  }})

  it('never throws', async () => {{
    const result = await {export}.handler(agent({{ model: new Error('no') }}).runtime, message('hello'), noState)
    expect(result?.success).toBe(false)
    expect(result?.text).toBeTruthy()
  }})\n",
        hit = quoted(&hit),
    );
    if !evaluator.triggers.is_empty() {
        let _ = write!(
            text,
            "\n  it('leaves other messages alone', async () => {{\n    \
             expect(await {export}.validate(agent().runtime, message(''), noState)).toBe(false)\n  }})\n"
        );
    }
    text.push_str("})\n");
    text
}

fn head(export: &str, folder: &str, file: &str, helpers: &str) -> String {
    format!(
        "import {{ describe, expect, it }} from 'vitest'\n\
         import {{ {export} }} from '../../src/{folder}/{file}.js'\n\
         import {{ {helpers} }} from '../helpers.js'\n\n"
    )
}
