//! Texts that nearly hold secrets, to be repeated without end: each makes a scanner look again and again.

/// Shapes that no rule has alone: signs, quotes, escapes, names, openings of structures.
const SHAPES: &[&str] = &[
    "a",
    " ",
    "\"",
    "'",
    "`",
    "=",
    ":",
    ">",
    "-",
    "\\",
    "%",
    "A",
    "0",
    "/",
    "\n",
    "[",
    "{",
    ",",
    "a ",
    "=\"",
    "='",
    "', '",
    "\", \"",
    "a=",
    "a:",
    "a: ",
    "a = ",
    "\\\"",
    "\\\\\"",
    "\"\\\"",
    "'\"`",
    "\"a\":\"",
    "eyJ.",
    "eyJhbGciOi.",
    "eyJ-",
    "eyJ.eyJ.",
    "://",
    "a://b",
    "postgres://u:",
    "postgres://u:p",
    "a:b@",
    "https://a:b@",
    "password=",
    "password=\"",
    "password='\"`",
    "password: ",
    "password:a",
    "pwd=\\\"",
    "key=\"a",
    "token='",
    "secret token password key api_key= : ",
    "value=",
    "name: password, value: ",
    "password=\"\\",
    "-----BEGIN RSA PRIVATE KEY-----",
    "-----BEGIN ",
    "-----BEGIN PRIVATE KEY-----\\n",
    "-----BEGIN PRIVATE KEY-----AbCdEfGhIjKlMnOpQrStUvWxYz0123456789abcdefgh",
    "PuTTY-User-Key-File-2 Private-Lines:",
    "PuTTY-User-Key-File-3: a\nPrivate-Lines: 9\n",
    "abandon ",
    "abandon abandon zoo ",
    "ability able about above absent absorb abstract absurd abuse access accident account ",
    "able, ",
    "\"able\", ",
    "Bearer ",
    "Bearer a1B2c3D4e5F6g7H8i9J0",
    "Basic dXNl",
    "Basic dXNlcjpwYXNzd29yZA ",
    ":AA",
    "1:AA",
    "123456789:AA",
    "0x",
    "\u{1f600}",
    "\u{e9}",
    "\\n",
    "\\u0041",
    "%3D",
    "%",
    "<password>",
    "<password>a</password",
    "<a>",
    "A1b2C3d4+/",
    "x = 'aB3",
    "AAAA\n",
    "'token', '",
    "\"token\", \"",
    " --token ",
    "--token a ",
    "curl -u a:b",
    "-u a:b ",
    "ENV A_TOKEN ",
    "#define A_TOKEN ",
    "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF ",
    "[1,2,3,",
    "[1,",
    "[255,",
    " is ",
    "token is a1 ",
    "key=aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF&",
    "key=\"aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF\"\n",
    "token: aGVsbG8gd29ybGQsIHRoaXMgaXMgYSB0ZXh0\n",
    "aGVsbG8gd29ybGQsIHRoaXMgaXMgYSB0ZXh0IQ ",
    "API_KEY,a1b2\n",
    "5Kb8kLf9zgWQnogidDA76MzPL6TsZZY36hWXMssSzNydYXYB9KF ",
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef ",
    // Values behind fallbacks, in calls, behind words.
    "A || 'a",
    "process.env.A_TOKEN || '",
    "process.env.A_TOKEN || 'abcdef' ",
    "a ?? \"",
    "A_TOKEN ?? \"abcdefgh\"",
    "a ?: 'abcdef'",
    "or \"abcdef\"",
    "os.getenv('A_TOKEN') or '",
    "${A_TOKEN:-",
    "${A_TOKEN:abcdef",
    "\"${A_TOKEN:",
    "('${A:b}",
    "setPassword(\"",
    "setPassword(\"a\")",
    "getPassword('abcdef')",
    "unwrap_or(\"abcdef\")",
    ".unwrap_or_else(|| \"abcdef\")",
    ".orElse('abcdef')",
    "(|_| \"abcdef\"",
    "ENV.fetch('A_TOKEN') { 'abcdef' }",
    ") { '",
    "PASSWORD 'abcdef' ",
    "IDENTIFIED BY 'a",
    "by '",
    "env('A_TOKEN', '",
    // Values in elements, and beside their names.
    "<input type=\"password\" value=\"",
    "value=\"abcdef\" type=\"password\" ",
    "<key>password</key>",
    "<name>password</name><value>",
    "<string name=\"password\">",
    "<![CDATA[",
    "name=\"password\" value=\"",
    "name: A_TOKEN\n  value: ",
    // Entities and escapes of signs.
    "&quot;",
    "&#34;",
    "&#x22;",
    "&",
    "password&#61;&quot;",
    "password%22%3A%22",
    "\\x22",
    "\\x70\\x61",
    "\\u0022a\\u0022:",
    // Lists, templates and variables, lines of mails, characters that nobody sees.
    "['a', 'b'].join('')",
    "].join('')",
    "''.join(['",
    "['a', ",
    "''",
    "${'gh'}",
    "'}${'",
    "${env:A_TOKEN, '",
    "${env:A_TOKEN, 'abcdefgh",
    "Quoted-Printable=\n",
    "=3D",
    "a\u{200b}",
    // Values on the next line, and in hex.
    "password:\n",
    "password:\n  ",
    "password: >-\n  ",
    "password: |\n  abcdef\n  ghi\n",
    "70617373776f72643d226162636465666768696a6b6c6d22 ",
    "70617373776f72643d",
    "token=70617373776f72643d226162636465666768696a6b6c6d22",
];
/// What is put behind the literal of a rule.
const TAILS: &[&str] = &[
    "",
    " ",
    "a1 ",
    "-",
    "_",
    "\"",
    ".",
    "aB3dE6gH9jK2mN5pQ8sT",
    "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eFgH3j-",
    "\" + \"",
    "\u{200b}",
];

/// All of them, out of the data files of the rules as well: their literals, and their examples cut and spoilt.
pub fn near_matches<'a>(files: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut all: Vec<String> = SHAPES.iter().map(|shape| (*shape).to_owned()).collect();
    for file in files {
        let Ok(file) = file.parse::<toml::Table>() else {
            continue;
        };
        for rule in list(file.get("rule")) {
            for literal in list(rule.get("prefix")).filter_map(toml::Value::as_str) {
                all.extend(TAILS.iter().map(|tail| format!("{literal}{tail}")));
            }
            let examples = rule.get("examples").and_then(|examples| examples.get("match"));
            for pieces in list(examples).take(2) {
                let mut example: String = list(Some(pieces)).filter_map(toml::Value::as_str).collect();
                example.pop();
                all.extend(["", " ", "-", "!\""].iter().map(|tail| format!("{example}{tail}")));
                example.truncate(example.floor_char_boundary(example.len() / 2));
                all.push(example);
            }
        }
    }
    all.retain(|text| !text.is_empty());
    all.sort();
    all.dedup();
    all
}

fn list(value: Option<&toml::Value>) -> impl Iterator<Item = &toml::Value> {
    value.and_then(toml::Value::as_array).into_iter().flatten()
}
