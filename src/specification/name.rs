//! Names: how they are written, and which are taken.

/// Actions of `ElizaOS`'s own bootstrap plugin.
const ACTIONS: &[&str] = &[
    "REPLY",
    "IGNORE",
    "NONE",
    "SEND_MESSAGE",
    "CHOOSE_OPTION",
    "FOLLOW_ROOM",
    "UNFOLLOW_ROOM",
    "MUTE_ROOM",
    "UNMUTE_ROOM",
    "UPDATE_CONTACT",
    "UPDATE_ROLE",
    "UPDATE_SETTINGS",
    "GENERATE_IMAGE",
];

pub(super) const PROVIDERS: &[&str] = &[
    "ACTIONS",
    "ACTION_STATE",
    "ANXIETY",
    "ATTACHMENTS",
    "CAPABILITIES",
    "CHARACTER",
    "CHOICE",
    "ENTITIES",
    "EVALUATORS",
    "FACTS",
    "PROVIDERS",
    "RECENT_MESSAGES",
    "RELATIONSHIPS",
    "ROLES",
    "SETTINGS",
    "TIME",
    "WORLD",
];

pub(super) const EVALUATORS: &[&str] = &["REFLECTION"];

pub(super) const SERVICES: &[&str] = &[
    "transcription",
    "video",
    "browser",
    "pdf",
    "aws_s3",
    "web_search",
    "email",
    "tee",
    "task",
    "wallet",
    "lp_pool",
    "token_data",
    "message_service",
    "message",
    "post",
    "unknown",
    "embedding_generation",
];

/// Packages that an agent has anyway.
pub(super) const PLUGINS: &[&str] = &[
    "@elizaos/core",
    "@elizaos/cli",
    "@elizaos/server",
    "@elizaos/plugin-bootstrap",
    "@elizaos/plugin-sql",
    "@elizaos/plugin-openai",
    "@elizaos/plugin-anthropic",
    "@elizaos/plugin-auton8n",
    "@elizaos/plugin-starter",
];

/// Members that a service has already, or that JavaScript looks for.
pub(super) const METHODS: &[&str] = &[
    "constructor",
    "start",
    "stop",
    "runtime",
    "config",
    "capabilityDescription",
    "serviceType",
    "then",
    "toString",
    "valueOf",
    "toJSON",
    "prototype",
    "__proto__",
    "hasOwnProperty",
    "registerSendHandlers",
];

pub(super) const PARAMETERS: &[&str] = &[
    "__proto__",
    "constructor",
    "prototype",
    "hasOwnProperty",
    "toString",
    "valueOf",
];

/// Variables that steer the process itself.
pub(super) const VARIABLES: &[&str] = &[
    "PATH",
    "HOME",
    "NODE_OPTIONS",
    "NODE_PATH",
    "LD_PRELOAD",
    "LD_LIBRARY_PATH",
    "SHELL",
    "NODE_ENV",
    "SECRET_SALT",
];

/// Names of actions that `ElizaOS` itself brings.
pub const fn reserved_action_names() -> &'static [&'static str] {
    ACTIONS
}

/// `getWeather`, `get-weather` and `Get weather` as `GET_WEATHER`; nothing where it holds other characters.
pub(super) fn upper_snake(name: &str) -> Option<String> {
    let words = words(name)?;
    let joined = words.join("_").to_ascii_uppercase();
    joined.starts_with(|c: char| c.is_ascii_uppercase()).then_some(joined)
}

/// The same as `get_weather`.
pub(super) fn lower_snake(name: &str) -> Option<String> {
    upper_snake(name).map(|name| name.to_ascii_lowercase())
}

/// The same as `getWeather`.
pub(super) fn camel(name: &str) -> Option<String> {
    let mut result = String::new();
    for (index, word) in words(name)?.iter().enumerate() {
        let lower = word.to_ascii_lowercase();
        if index == 0 {
            result.push_str(&lower);
        } else {
            result.push_str(&lower[..1].to_ascii_uppercase());
            result.push_str(&lower[1..]);
        }
    }
    result.starts_with(|c: char| c.is_ascii_lowercase()).then_some(result)
}

fn words(name: &str) -> Option<Vec<String>> {
    let chars: Vec<char> = name.chars().collect();
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    for (index, &c) in chars.iter().enumerate() {
        if matches!(c, '_' | '-' | ' ' | '.') {
            words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
            continue;
        }
        if !c.is_ascii_alphanumeric() {
            return None;
        }
        let before = index.checked_sub(1).map(|before| chars[before]);
        let starts = c.is_ascii_uppercase()
            && before.is_some_and(|before| {
                before.is_ascii_lowercase()
                    || before.is_ascii_digit()
                    || (before.is_ascii_uppercase() && chars.get(index + 1).is_some_and(char::is_ascii_lowercase))
            });
        if starts {
            words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
        }
        word.push(c);
    }
    words.extend((!word.is_empty()).then_some(word));
    (!words.is_empty()).then_some(words)
}

/// The known name that was probably meant.
pub(super) fn closest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    if name.len() > 60 {
        return None;
    }
    let plain = |text: &str| text.replace(['_', '-', ' '], "").to_ascii_lowercase();
    let wanted = plain(name);
    known
        .iter()
        .map(|candidate| (distance(&wanted, &plain(candidate)), *candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 5)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (diagonal + usize::from(ca != *cb)).min(above + 1).min(row[j] + 1);
            diagonal = above;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_style_become_one() {
        for name in [
            "getWeather",
            "get-weather",
            "GET_WEATHER",
            "Get weather",
            "get_weather",
            "GetWeather",
            "get--weather_",
        ] {
            assert_eq!(upper_snake(name).as_deref(), Some("GET_WEATHER"), "{name}");
            assert_eq!(lower_snake(name).as_deref(), Some("get_weather"), "{name}");
            assert_eq!(camel(name).as_deref(), Some("getWeather"), "{name}");
        }
        assert_eq!(
            upper_snake("parseHTTPAnswer2Json").as_deref(),
            Some("PARSE_HTTP_ANSWER2_JSON")
        );
        for name in ["", "_", "1st", "gét", "a/b", "a;b", "../x"] {
            assert_eq!(upper_snake(name), None, "{name}");
        }
    }

    #[test]
    fn a_misspelt_name_finds_the_one_that_was_meant() {
        let known = ["environmentVariables", "actions", "name"];
        assert_eq!(closest("environment_variables", &known), Some("environmentVariables"));
        assert_eq!(closest("action", &known), Some("actions"));
        assert_eq!(closest("nmae", &["method"]), None);
        assert_eq!(closest("zzz", &known), None);
    }
}
