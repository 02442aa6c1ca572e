//! Names of files and exports.

/// `get-weather` of `GET_WEATHER`.
pub(super) fn kebab(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

/// `GetWeather` of `GET_WEATHER`.
pub(super) fn pascal(name: &str) -> String {
    let mut result = String::new();
    for word in name.split('_').filter(|word| !word.is_empty()) {
        result.push_str(&word[..1].to_ascii_uppercase());
        result.push_str(&word[1..].to_ascii_lowercase());
    }
    result
}

/// `getWeather` of `GET_WEATHER`.
pub(super) fn camel(name: &str) -> String {
    let pascal = pascal(name);
    pascal.get(..1).map(str::to_ascii_lowercase).unwrap_or_default() + pascal.get(1..).unwrap_or_default()
}

/// `getWeather` of a file's or package's name such as `@acme/plugin-get-weather`.
pub(super) fn plugin_export(package: &str) -> String {
    let base = package.rsplit('/').next().unwrap_or(package);
    let stem = base.strip_prefix("elizaos-").unwrap_or(base);
    let stem = stem.strip_prefix("plugin-").unwrap_or(stem);
    let joined: String = stem
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    let name = camel(&joined);
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        format!("the{}Plugin", pascal(&joined))
    } else {
        format!("{name}Plugin")
    }
}
