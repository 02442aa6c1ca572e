use serde_json::{Value, json};

use super::*;
use crate::error::{Code, Error};

fn with(members: Value) -> Value {
    let mut value =
        json!({ "name": "plugin-a", "description": "x", "actions": [{ "name": "DO_IT", "description": "x" }] });
    if let (Some(target), Value::Object(members)) = (value.as_object_mut(), members) {
        target.extend(members);
    }
    value
}

fn paths(error: &Error) -> Vec<String> {
    assert_eq!(error.code(), Code::SpecificationInvalid);
    let problems: Vec<Problem> = serde_json::from_value(error.details()["problems"].clone()).unwrap();
    problems.into_iter().map(|problem| problem.path).collect()
}

#[test]
fn the_error_lists_the_first_problems_and_holds_all() {
    let actions: Vec<Value> = (0..20).map(|_| json!({ "name": "!", "description": "x" })).collect();
    let error = parse(&with(json!({ "actions": actions }))).unwrap_err();
    assert_eq!(paths(&error).len(), 20);
    assert!(
        error.message().contains("20 problems") && error.message().contains("and 15 more"),
        "{error}"
    );
    assert!(error.message().contains("$.actions[0].name"));
}

#[test]
fn problems_are_bounded_and_quote_little_of_the_input() {
    let many: serde_json::Map<String, Value> = (0..2000).map(|n| (format!("unknown{n}"), Value::Null)).collect();
    assert_eq!(paths(&parse(&with(Value::Object(many))).unwrap_err()).len(), 100);
    let error = parse(&with(json!({ "name": "\u{1b}[31m\u{202e}".repeat(1000) }))).unwrap_err();
    assert!(
        error.message().len() < 500 && !error.message().contains('\u{1b}') && !error.message().contains('\u{202e}')
    );
}

#[test]
fn size_and_depth_are_one_problem_each() {
    let large = parse(&with(json!({ "description": "x".repeat(10_000_000) }))).unwrap_err();
    assert_eq!(paths(&large), ["$"]);
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    assert_eq!(paths(&parse(&with(json!({ "actions": deep }))).unwrap_err()), ["$"]);
    assert_eq!(paths(&parse_json(&"[".repeat(100_000)).unwrap_err()), ["$"]);
    assert_eq!(paths(&parse_json(&" ".repeat(10_000_000)).unwrap_err()), ["$"]);
    assert_eq!(paths(&parse_json("{").unwrap_err()), ["$"]);
}

#[test]
fn a_misspelt_member_finds_the_one_that_was_meant() {
    let error = parse(&with(json!({ "enviromentVariables": [] }))).unwrap_err();
    assert!(
        error.message().contains("Did you mean \"environmentVariables\"?"),
        "{error}"
    );
}

#[test]
fn a_valid_one_survives_its_own_json() {
    let first = parse(&with(json!({
        "actions": [{
            "name": "getIt", "description": "x", "parameters": [{ "name": "a", "type": "integer", "required": true }],
            "http": { "url": "https://a.example/{a}", "headers": { "K": "${A_TOKEN}" }, "result": "$.b[0]" },
        }],
        "environmentVariables": [{ "name": "A_TOKEN", "description": "x", "required": true }],
    })))
    .unwrap();
    assert_eq!(parse(&serde_json::to_value(&first).unwrap()).unwrap(), first);
    let http = first.actions[0].http.as_ref().unwrap();
    assert_eq!(http.place(), [Step::Key("b".into()), Step::Index(0)]);
    assert_eq!(http.variables(), ["A_TOKEN"]);
    assert!(
        first.environment_variables[0].sensitive,
        "a name that sounds like a secret is one"
    );
}

#[test]
fn headers_of_the_connection_and_of_the_boot_check_are_refused() {
    for (name, owner) in [("upgrade", "the connection"), ("X-Boot-Origin", "the boot check")] {
        let error = parse(&with(json!({
            "actions": [{ "name": "A_B", "description": "x", "http": { "url": "https://a.example", "headers": { name: "x" } } }],
        })))
        .unwrap_err();
        assert!(paths(&error)[0].starts_with("$.actions[0].http.headers"), "{error}");
        assert!(error.message().contains(owner), "{error}");
    }
}

#[test]
fn a_variable_with_a_problem_of_its_own_is_not_told_as_undeclared_too() {
    let error = parse(&with(json!({
        "actions": [{ "name": "A_B", "description": "x", "http": { "url": "https://a.example", "headers": { "K": "${A_B}" } } }],
        "environmentVariables": [{ "name": "A_B" }],
    })))
    .unwrap_err();
    assert_eq!(paths(&error), ["$.environmentVariables[0].description"]);
}

proptest::proptest! {
    #[test]
    fn no_json_breaks_it(text in "[\\[\\]{}:,\"a-z0-9\\\\$. -]{0,80}") {
        let _ = parse_json(&text);
    }

    #[test]
    fn no_url_breaks_it(url in "(https://|http://|localhost|[{}$:/?#@.\\[\\]a-zA-Z0-9%]|\\PC){0,20}") {
        let _ = parse(&with(json!({ "actions": [{ "name": "A_B", "description": "x", "http": { "url": url } }] })));
    }

    #[test]
    fn no_name_breaks_it(name in "\\PC{0,20}") {
        let _ = parse(&with(json!({ "name": name, "services": [{ "name": name, "description": "x", "methods": [name] }] })));
    }
}
