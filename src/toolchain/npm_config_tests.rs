//! Where npm's settings come from, and where credentials go.

use super::*;

fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn config(npmrc: &str, pairs: &[(&str, &str)]) -> NpmConfig {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(".npmrc"), npmrc).unwrap();
    NpmConfig::load(&env(pairs), Some(folder.path()))
}

#[test]
fn the_environment_beats_the_project_and_that_the_user() {
    let home = tempfile::tempdir().unwrap();
    let project = tempfile::tempdir().unwrap();
    std::fs::write(
        home.path().join(".npmrc"),
        "registry=http://user/\n@a:registry=http://user-a/\n",
    )
    .unwrap();
    let pairs = [("HOME", home.path().to_str().unwrap())];
    let load = |more: &[(&str, &str)]| NpmConfig::load(&env(&[&pairs, more].concat()), Some(project.path()));
    assert_eq!(load(&[]).registry("x"), "http://user/");
    std::fs::write(
        project.path().join(".npmrc"),
        "registry = \"http://project\" \n; no\n# no\n",
    )
    .unwrap();
    assert_eq!(load(&[]).registry("x"), "http://project/");
    assert_eq!(load(&[]).registry("@a/x"), "http://user-a/");
    assert_eq!(
        load(&[("NPM_CONFIG_REGISTRY", "http://env/npm")]).registry("x"),
        "http://env/npm/"
    );
    let mut config = load(&[]);
    config.use_registry("http://option");
    assert_eq!(config.registry("@a/x"), "http://option/");
    assert_eq!(
        NpmConfig::load(&env(&[]), None).registry("x"),
        "https://registry.npmjs.org/"
    );
}

#[test]
fn credentials_go_only_where_they_belong() {
    let config = config(
        "//h:81/npm/:_authToken=${T}\n//h/:_auth=abc\n//b/:username=u\n//b/:_password=cA==\n",
        &[("T", "tt")],
    );
    assert_eq!(
        config.authorization("http://h:81/npm/x/-/x-1.tgz").as_deref(),
        Some("Bearer tt")
    );
    assert_eq!(config.authorization("https://h/x").as_deref(), Some("Basic abc"));
    assert_eq!(config.authorization("https://b/x").as_deref(), Some("Basic dTpw"));
    for other in [
        "http://h:81/other/x",
        "https://evil/h/x",
        "https://h.evil/x",
        "https://evil/?//h/",
        "garbage",
    ] {
        assert_eq!(config.authorization(other), None, "{other}");
    }
}

#[test]
fn credentials_in_a_registry_are_used_but_never_shown() {
    let config = config("registry=https://me:p%40ss@h/npm\n", &[]);
    assert_eq!(config.registry("x"), "https://h/npm/");
    assert_eq!(
        config.authorization("https://h/npm/x"),
        Some(format!("Basic {}", STANDARD.encode("me:p@ss")))
    );
    assert_eq!(config.authorization("https://other/npm/x"), None);
    assert!(!format!("{config:?}").contains("ss@"));
}

#[test]
fn a_proxy_is_found_and_bypassed() {
    let plain = config(
        "proxy=http://p:1\nhttps-proxy=http://s:1\nnoproxy=.corp.example,local\n",
        &[],
    );
    assert_eq!(plain.proxy("http://x/").as_deref(), Some("http://p:1"));
    assert_eq!(plain.proxy("https://x/").as_deref(), Some("http://s:1"));
    for direct in [
        "https://corp.example/",
        "https://a.corp.example:8080/x",
        "http://local/",
    ] {
        assert_eq!(plain.proxy(direct), None, "{direct}");
    }
    assert!(plain.proxy("https://notcorp.example/").is_some());
    let from_env = config("", &[("HTTPS_PROXY", "http://e:1"), ("NO_PROXY", "*")]);
    assert_eq!(from_env.proxy("https://x/"), None);
    assert!(
        config("", &[("https_proxy", "http://e:1")])
            .proxy("https://x/")
            .is_some()
    );
    assert_eq!(config("", &[("https_proxy", "http://e:1")]).proxy("http://x/"), None);
    assert_eq!(config("https-proxy=null\nproxy=false\n", &[]).proxy("https://x/"), None);
}

#[test]
fn variables_are_filled_in_as_npm_does() {
    let env = env(&[("A", "1")]);
    for (text, expected) in [
        ("x${A}y", "x1y"),
        ("${B}", "${B}"),
        ("${B?}z", "z"),
        ("${", "${"),
        ("${A", "${A"),
        ("${A}${A}", "11"),
    ] {
        assert_eq!(expand(text, &env), expected);
    }
}

#[test]
fn certificates_are_checked_unless_told_otherwise() {
    assert!(config("", &[]).strict_ssl());
    assert!(!config("strict-ssl=false", &[]).strict_ssl());
    assert!(!config("", &[("npm_config_strict_ssl", "false")]).strict_ssl());
    assert_eq!(config("cafile=/x.pem", &[]).cafile(), Some("/x.pem"));
}
