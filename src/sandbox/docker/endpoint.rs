//! Where a container engine may answer on this machine.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// A place to try, and how it was come by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// `unix:///…`, `npipe:////./pipe/…` or `tcp://…`.
    pub url: String,
    /// For people: `DOCKER_HOST`, `the context "desktop"`, `a known place`.
    pub origin: String,
    /// A setting names it, so that it is worth a line when it does not answer.
    pub asked_for: bool,
}

impl Endpoint {
    fn new(url: impl Into<String>, origin: impl Into<String>, asked_for: bool) -> Self {
        Self {
            url: url.into(),
            origin: origin.into(),
            asked_for,
        }
    }
}

/// The parts of the process's surroundings that decide.
pub struct Surroundings<'a> {
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    pub read: &'a dyn Fn(&Path) -> Option<String>,
    pub home: Option<PathBuf>,
    /// `linux`, `macos` or `windows`.
    pub system: &'a str,
}

/// All endpoints in the order in which they are tried, without duplicates.
pub fn endpoints(around: &Surroundings) -> Vec<Endpoint> {
    let mut all = Vec::new();
    let set = |name: &str| (around.variable)(name).filter(|value| !value.is_empty());
    if let Some(host) = set("DOCKER_HOST") {
        all.push(Endpoint::new(host, "DOCKER_HOST", true));
    }
    if let Some(host) = set("CONTAINER_HOST") {
        all.push(Endpoint::new(host, "CONTAINER_HOST", true));
    }
    all.extend(context(around));
    all.extend(
        known(around)
            .into_iter()
            .map(|url| Endpoint::new(url, "a known place", false)),
    );
    let mut seen = std::collections::BTreeSet::new();
    all.retain(|endpoint| seen.insert(endpoint.url.clone()));
    all
}

/// The endpoint of the Docker client's context; bollard knows nothing of contexts.
fn context(around: &Surroundings) -> Option<Endpoint> {
    let set = |name: &str| (around.variable)(name).filter(|value| !value.is_empty());
    let folder = set("DOCKER_CONFIG")
        .map(PathBuf::from)
        .or_else(|| Some(around.home.as_ref()?.join(".docker")))?;
    let json = |path: PathBuf| serde_json::from_str::<serde_json::Value>(&(around.read)(&path)?).ok();
    let name = set("DOCKER_CONTEXT").or_else(|| {
        json(folder.join("config.json"))?
            .get("currentContext")?
            .as_str()
            .map(str::to_owned)
    })?;
    if name == "default" {
        return None;
    }
    let id = hex::encode(Sha256::digest(name.as_bytes()));
    let meta = json(folder.join("contexts/meta").join(id).join("meta.json"))?;
    let host = meta.get("Endpoints")?.get("docker")?.get("Host")?.as_str()?;
    Some(Endpoint::new(host, format!("the Docker context {name:?}"), true))
}

fn known(around: &Surroundings) -> Vec<String> {
    if around.system == "windows" {
        return ["docker_engine", "dockerDesktopLinuxEngine", "podman-machine-default"]
            .map(|pipe| format!("npipe:////./pipe/{pipe}"))
            .to_vec();
    }
    let mut paths = vec![PathBuf::from("/var/run/docker.sock")];
    if let Some(runtime) = (around.variable)("XDG_RUNTIME_DIR").map(PathBuf::from) {
        paths.push(runtime.join("docker.sock"));
        paths.push(runtime.join("podman/podman.sock"));
    }
    if let Some(home) = &around.home {
        for below in [
            ".docker/run/docker.sock",
            ".docker/desktop/docker.sock",
            ".colima/default/docker.sock",
            ".config/colima/default/docker.sock",
            ".orbstack/run/docker.sock",
            ".rd/docker.sock",
            ".lima/default/sock/docker.sock",
            ".local/share/containers/podman/machine/podman.sock",
        ] {
            paths.push(home.join(below));
        }
    }
    if let Some(colima) = (around.variable)("COLIMA_HOME").map(PathBuf::from) {
        paths.push(colima.join("default/docker.sock"));
    }
    paths.push(PathBuf::from("/run/podman/podman.sock"));
    paths.iter().map(|path| format!("unix://{}", path.display())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(variables: &[(&str, &str)], files: &[(String, &str)], system: &str) -> Vec<String> {
        let variable = |name: &str| {
            variables
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        };
        let read = |path: &Path| {
            files
                .iter()
                .find(|(key, _)| Path::new(key) == path)
                .map(|(_, text)| (*text).to_owned())
        };
        let around = Surroundings {
            variable: &variable,
            read: &read,
            home: Some("/home/me".into()),
            system,
        };
        endpoints(&around).into_iter().map(|endpoint| endpoint.url).collect()
    }

    #[test]
    fn what_a_variable_names_comes_first() {
        let all = urls(
            &[("DOCKER_HOST", "unix:///my.sock"), ("XDG_RUNTIME_DIR", "/run/user/1")],
            &[],
            "linux",
        );
        assert_eq!(all[0], "unix:///my.sock");
        assert_eq!(all[1], "unix:///var/run/docker.sock");
        assert!(all.contains(&"unix:///run/user/1/podman/podman.sock".to_owned()));
    }

    #[test]
    fn a_context_is_followed_to_its_file() {
        let id = hex::encode(Sha256::digest(b"desktop-linux"));
        let files = [
            (
                "/home/me/.docker/config.json".to_owned(),
                r#"{"currentContext":"desktop-linux"}"#,
            ),
            (
                format!("/home/me/.docker/contexts/meta/{id}/meta.json"),
                r#"{"Endpoints":{"docker":{"Host":"unix:///home/me/.docker/desktop/docker.sock"}}}"#,
            ),
        ];
        let all = urls(&[], &files, "linux");
        assert_eq!(all[0], "unix:///home/me/.docker/desktop/docker.sock");
        assert_eq!(all.iter().filter(|url| **url == all[0]).count(), 1);
    }

    #[test]
    fn broken_settings_are_stepped_over() {
        let files = [("/home/me/.docker/config.json".to_owned(), "not json")];
        assert_eq!(
            urls(&[("DOCKER_HOST", "")], &files, "linux")[0],
            "unix:///var/run/docker.sock"
        );
        assert!(urls(&[], &[], "windows")[0].starts_with("npipe://"));
    }
}
