//! The list of what went in, in `CycloneDX` 1.6 as JSON.
//!
//! <https://cyclonedx.org/docs/1.6/json/>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::date::moment_of;

/// What the list is of.
#[derive(Clone, Debug)]
pub struct Subject {
    pub name: String,
    pub version: String,
    /// SHA-256 of its archive, in hex, where there is one.
    pub sha256: Option<String>,
}

/// One package that went in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Component {
    pub name: String,
    pub version: String,
    /// As npm writes it: `sha512-` and base64.
    pub integrity: Option<String>,
    /// Needed where the subject runs; else it was used to make or check it.
    pub required: bool,
    /// Whether the manifest of the subject names it.
    pub direct: bool,
}

/// The list. `id` is a UUID; all else depends on the arguments alone.
pub fn sbom(subject: &Subject, components: &[Component], id: &str, now_ms: i64) -> Value {
    let mut sorted: Vec<&Component> = components.iter().collect();
    sorted.sort();
    // One place in a tree is enough: two entries may not have one reference.
    sorted.dedup_by(|one, other| one.name == other.name && one.version == other.version);
    let own = purl(&subject.name, &subject.version);
    let mut itself = described(&subject.name, &subject.version);
    itself.insert("type".to_owned(), json!("library"));
    if let Some(hash) = &subject.sha256 {
        itself.insert("hashes".to_owned(), json!([{ "alg": "SHA-256", "content": hash }]));
    }
    let needed: Vec<String> = sorted
        .iter()
        .filter(|one| one.direct)
        .map(|one| purl(&one.name, &one.version))
        .collect();
    let mut edges = vec![json!({ "ref": own, "dependsOn": needed })];
    edges.extend(sorted.iter().map(|one| json!({ "ref": purl(&one.name, &one.version) })));
    json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": format!("urn:uuid:{id}"),
        "version": 1,
        "metadata": {
            "timestamp": moment_of(now_ms),
            "tools": { "components": [{ "type": "application", "name": "auton8n", "version": env!("CARGO_PKG_VERSION") }] },
            "component": itself,
        },
        "components": sorted.iter().map(|one| component(one)).collect::<Vec<_>>(),
        "dependencies": edges,
    })
}

fn component(one: &Component) -> Value {
    let mut fields = described(&one.name, &one.version);
    fields.insert("type".to_owned(), json!("library"));
    fields.insert(
        "scope".to_owned(),
        json!(if one.required { "required" } else { "excluded" }),
    );
    if let Some(hash) = one.integrity.as_deref().and_then(hash) {
        fields.insert("hashes".to_owned(), json!([hash]));
    }
    Value::Object(fields)
}

fn described(name: &str, version: &str) -> Map<String, Value> {
    let mut fields = Map::new();
    let purl = purl(name, version);
    let (group, base) = name
        .split_once('/')
        .map_or((None, name), |(group, base)| (Some(group), base));
    fields.insert("bom-ref".to_owned(), json!(purl));
    if let Some(group) = group {
        fields.insert("group".to_owned(), json!(group));
    }
    fields.insert("name".to_owned(), json!(base));
    fields.insert("version".to_owned(), json!(version));
    fields.insert("purl".to_owned(), json!(purl));
    fields
}

/// npm's hashes are base64, the list's are hex.
fn hash(integrity: &str) -> Option<Value> {
    let (algorithm, text) = integrity.split_once('-')?;
    let algorithm = match algorithm {
        "sha512" => "SHA-512",
        "sha384" => "SHA-384",
        "sha256" => "SHA-256",
        "sha1" => "SHA-1",
        _ => return None,
    };
    let bytes = STANDARD.decode(text).ok()?;
    Some(json!({ "alg": algorithm, "content": hex::encode(bytes) }))
}

/// <https://github.com/package-url/purl-spec>
fn purl(name: &str, version: &str) -> String {
    let escaped = |text: &str| {
        text.bytes().fold(String::new(), |mut escaped, byte| {
            if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
                escaped.push(char::from(byte));
            } else {
                escaped.push('%');
                escaped.push_str(&hex::encode_upper([byte]));
            }
            escaped
        })
    };
    format!("pkg:npm/{}@{}", escaped(name), escaped(version))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, version: &str) -> Component {
        Component {
            name: name.to_owned(),
            version: version.to_owned(),
            integrity: Some("sha512-AQI=".to_owned()),
            required: true,
            direct: true,
        }
    }

    #[test]
    fn the_list_is_the_same_for_the_same_packages_in_any_order() {
        let subject = Subject {
            name: "@a/plugin-b".to_owned(),
            version: "1.0.0".to_owned(),
            sha256: Some("00".repeat(32)),
        };
        let (one, other) = (of("zod", "4.0.0"), of("@a/c", "1.0.0+x"));
        let first = sbom(&subject, &[one.clone(), other.clone(), one.clone()], "u", 0);
        assert_eq!(first, sbom(&subject, &[other, one], "u", 0));
        assert_eq!(first["components"].as_array().unwrap().len(), 2);
        assert_eq!(first["components"][0]["purl"], "pkg:npm/%40a/c@1.0.0%2Bx");
        assert_eq!(first["components"][0]["group"], "@a");
        assert_eq!(first["components"][1]["hashes"][0]["content"], "0102");
        assert_eq!(first["dependencies"][0]["dependsOn"].as_array().unwrap().len(), 2);
        assert_eq!(first["metadata"]["timestamp"], "1970-01-01T00:00:00Z");
    }
}
