//! Where a secret may stand without a sign that assigns it, in the notation of every usual language.

use super::{github_token, scanner};

/// A password, put together here so that none stands in the repository.
fn password() -> String {
    ["h7Q!", "z92kVm"].concat()
}

fn key() -> String {
    ["q7Zt4Rk9", "Vb2Xm8Lw5Pd"].concat()
}

/// What is found in a text, in which `P` stands for the password and `K` for the key.
fn found(text: &str, file: &str) -> Vec<String> {
    let text = text.replace("$P$", &password()).replace("$K$", &key());
    let scanned = scanner().scan_text(&text, Some(file));
    let lines: Vec<&str> = text.split('\n').collect();
    scanned
        .secrets
        .iter()
        .map(|one| {
            let line: Vec<u16> = lines[one.line as usize - 1].encode_utf16().collect();
            String::from_utf16(&line[one.column as usize - 1..one.end_column as usize - 1]).unwrap()
        })
        .collect()
}

fn all_found(cases: &[(&str, &str)]) {
    for (file, text) in cases {
        let expected = if text.contains("$P$") { password() } else { key() };
        assert_eq!(found(text, file), [expected], "{file}: {text}");
    }
}

fn none_found(cases: &[(&str, &str)]) {
    for (file, text) in cases {
        assert!(found(text, file).is_empty(), "{file}: {text}");
    }
}

#[test]
fn what_a_variable_is_where_it_is_not_set_is_found() {
    all_found(&[
        ("a.js", "const a = process.env.DB_PASSWORD || '$P$'"),
        ("a.js", "connect(process.env['DB_PASSWORD']||\"$P$\")"),
        ("a.ts", "const apiKey = settings.value ?? '$K$'"),
        ("a.ts", "new Client({ auth: options?.token ?? `$K$` })"),
        ("a.py", "p = os.environ.get(\"DB_PASSWORD\", \"$P$\")"),
        ("a.py", "p = os.environ.get('DB_PASSWORD') or '$P$'"),
        ("a.py", "db_password = os.getenv('SERVICE', '$P$')"),
        ("a.rb", "p = ENV.fetch('DB_PASSWORD', '$P$')"),
        ("a.rb", "p = ENV.fetch('DB_PASSWORD') { '$P$' }"),
        ("a.rb", "p = ENV['DB_PASSWORD'] || '$P$'"),
        ("a.php", "$p = getenv(\"DB_PASSWORD\") ?: \"$P$\";"),
        ("a.php", "$p = $_ENV['DB_PASSWORD'] ?? '$P$';"),
        ("a.kt", "val p = System.getenv(\"DB_PASSWORD\") ?: \"$P$\""),
        (
            "a.cs",
            "var p = Environment.GetEnvironmentVariable(\"DB_PASSWORD\") ?? \"$P$\";",
        ),
        ("A.java", "@Value(\"${db.password:$P$}\")"),
        ("A.java", "var p = Optional.ofNullable(password).orElse(\"$P$\");"),
        ("a.rs", "let p = var(\"DB_PASSWORD\").unwrap_or(\"$P$\".into());"),
        (
            "a.rs",
            "let p = var(\"DB_PASSWORD\").unwrap_or_else(|_| \"$P$\".into());",
        ),
        ("a.rs", "let p = password.unwrap_or_else(|| \"$P$\".into());"),
        ("a.sh", "export X=\"${DB_PASSWORD:-$P$}\""),
        ("a.sh", ": ${DB_PASSWORD:=$P$}"),
        ("docker-compose.yml", "  - PASSWORD=${DB_PASSWORD:-$P$}"),
        ("application.yml", "password: ${DB_PASSWORD:$P$}"),
        ("serverless.yml", "password: ${env:DB_PASSWORD:-$P$}"),
        ("production.ini", "x = %(DB_PASSWORD:$P$)s"),
        ("production.ini", "x = %(ENV:DB_PASSWORD:-$P$)s"),
        ("a.j2", "{{ db_password | default('$P$') }}"),
        ("a.j2", "{{ db_password|default(\"$P$\", true) }}"),
        ("values.yaml", "x: {{ .Values.db.password | default \"$P$\" }}"),
        ("a.min.js", "let e=env.get(\"DB_PASSWORD\",\"$P$\")"),
        ("a.py", "p=os.getenv('API_KEY','$K$')"),
    ]);
    none_found(&[
        ("a.js", "const a = process.env.NODE_ENV || 'development-1'"),
        ("a.js", "const a = process.env.DB_PASSWORD || 'changeme'"),
        ("a.js", "const a = process.env.DB_PASSWORD || ''"),
        ("a.js", "const a = process.env.DB_PASSWORD || process.env['OTHER_1']"),
        ("a.js", "if (password == null || mode === 'strict-2') throw 1"),
        ("a.js", "const a = user.passwordHash || '$P$'"),
        ("a.js", "const a = env.TOKEN_ID || '$K$'"),
        ("a.js", "x = a || \"b\" || '"),
        ("a.sh", "echo ${DB_PASSWORD:-}"),
        ("a.sh", "echo ${DB_PASSWORD:-${OTHER_PASSWORD_1}}"),
        ("a.sh", "echo ${IMAGE_TAG:-v1.22.333}"),
        ("application.yml", "password: ${DB_PASSWORD}"),
        ("production.ini", "x = %(DB_PASSWORD)s"),
        ("production.ini", "x = %(ENV:DB_PASSWORD:)s"),
        ("a.js", "f(\"password\",\"changeme\")"),
        ("a.js", "[\"password\",\"secretKey\",\"token\"]"),
        ("a.js", "f(\"passwordHash\",\"$P$\")"),
        ("a.j2", "{{ db_password | default('') }}"),
    ]);
}

#[test]
fn what_a_condition_chooses_is_found() {
    all_found(&[
        ("a.ts", "const dbPassword = isProd ? '$P$' : ''"),
        ("a.ts", "const dbPassword = mode === 'prod' ? \"$P$\" : undefined"),
        ("a.ts", "const dbPassword = isProd ? '' : '$P$'"),
        ("a.ts", "const dbPassword =\n  isProd\n    ? process.env.X\n    : '$P$'"),
        ("a.ts", "const dbPassword = isProd\n  ? '$P$'\n  : ''"),
        ("a.ts", "const o = { apiKey: live ? settings.key : '$K$' }"),
        ("a.ts", "const apiKey = a !== b && c >= d ? `$K$` : null"),
        ("a.rb", "password = prod? ? '$P$' : nil"),
        ("A.java", "String password = debug ? \"$P$\" : System.getenv(\"X\");"),
        ("a.py", "password = '$P$' if debug else None"),
        ("a.py", "password = os.environ['X'] if debug else '$P$'"),
        ("a.kt", "val password = if (debug) null else \"$P$\""),
    ]);
    none_found(&[
        ("a.ts", "const label = password ? 'Change-it-1' : 'Choose-it-1'"),
        ("a.ts", "const type = shown ? 'text-1' : 'password'"),
        ("a.ts", "const passwordHint = a ? '$P$' : '$P$'"),
        ("a.ts", "if (password === x) y(a ? '$P$' : 'b')"),
        ("a.ts", "const a = { b: c?.password ? 'x-1-y-2' : 'z-1-y-2' }"),
        ("a.ts", "const password = a ? b : c"),
        ("a.ts", "password = a ? '"),
        ("a.ts", "x ? y : '$P$'"),
    ]);
    let both = format!("const password = a ? '{}' : '{}x'", password(), password());
    assert_eq!(scanner().scan_text(&both, Some("a.ts")).secrets.len(), 2);
}

#[test]
fn what_a_call_is_given_is_found_where_its_name_says_it() {
    all_found(&[
        ("A.java", "source.setPassword(\"$P$\");"),
        ("a.ts", "builder.password('$P$').build()"),
        ("a.ts", "client.withApiKey(`$K$`)"),
        ("a.py", "client.set_access_token(\"$K$\")"),
        ("a.cs", "options.UseClientSecret(\"$K$\");"),
        ("a.gradle", "storePassword \"$P$\""),
        ("a.sql", "ALTER USER app WITH PASSWORD '$P$';"),
        ("a.sql", "CREATE USER app IDENTIFIED BY '$P$';"),
    ]);
    none_found(&[
        ("a.js", "getPassword('prod-db-1')"),
        ("a.js", "store.fetchToken(\"$K$\")"),
        ("a.js", "setPassword('password')"),
        ("a.js", "it('resets a password 1', run)"),
        ("a.js", "throw new Error('$P$ is none')"),
        ("a.js", "require('./h7Q-z92kVm')"),
        ("a.js", "log('Pass `l2Timestamp` or wait')"),
        ("a.js", "setPasswordHint(\"$P$\")"),
    ]);
}

#[test]
fn elements_and_attributes_say_what_their_value_is() {
    all_found(&[
        ("a.html", "<input type=\"password\" value=\"$P$\">"),
        ("a.html", "<input value='$P$' class='x' type='password'>"),
        ("a.html", "<input id=\"db-password\" size=\"9\" value=\"$P$\">"),
        ("strings.xml", "<string name=\"api_key\">$K$</string>"),
        ("Info.plist", "<key>ApiKey</key>\n<string>$K$</string>"),
        ("core-site.xml", "<name>db.password</name><value>$P$</value>"),
        ("a.xml", "<password><![CDATA[$P$]]></password>"),
        ("web.config", "<add key=\"DbPassword\" value=\"$P$\" />"),
        ("a.xml", "<bean id=\"x\" password=\"$P$\"/>"),
    ]);
    none_found(&[
        ("a.html", "<input type=\"password\" value=\"\">"),
        ("a.html", "<input type=\"text\" value=\"$P$\">"),
        ("a.html", "<input type=\"password\" placeholder=\"Enter $P$\">"),
        ("a.html", "<label for=\"password\">New-pass-1</label>"),
        ("strings.xml", "<string name=\"title\">$K$</string>"),
        ("a.xml", "<key>ApiKeyName</key><string>$K$</string>"),
    ]);
}

#[test]
fn escaped_text_is_read_without_its_escapes() {
    let escaped = |text: &str| text.replace("$P$", &password().replace('!', "&#33;"));
    for (file, text) in [
        ("a.html", "<div data-x=\"{&quot;password&quot;:&quot;$P$&quot;}\">"),
        ("a.html", "<code>PASSWORD=&#39;$P$&#39;</code>"),
        ("a.xml", "<a b=\"password=&apos;$P$&apos;\"/>"),
    ] {
        for text in [text.to_owned(), escaped(text)] {
            let shown = text.replace("$P$", &password());
            let whole = if text.contains("&#33;") {
                password().replace('!', "&#33;")
            } else {
                password()
            };
            assert_eq!(found(&text, file), [whole], "{shown}");
        }
    }
    all_found(&[
        ("a.log", "GET /cb?state=%7B%22password%22%3A%22$P$%22%7D HTTP/1.1"),
        ("a.json", "{\"body\":\"{\\u0022password\\u0022:\\u0022$P$\\u0022}\"}"),
        ("a.txt", "\\x22password\\x22: \\x22$P$\\x22"),
    ]);
    none_found(&[
        ("a.html", "&quot;passwordHash&quot;:&quot;$P$&quot;"),
        (
            "a.html",
            "<p>Say &quot;password&quot; &amp; enter &quot;it-works-2&quot;</p>",
        ),
        ("a.log", "GET /cb?next=%2Fhome%3Ftab%3Dkey-12345 HTTP/1.1"),
    ]);
}

#[test]
fn a_token_that_is_escaped_is_one_finding_at_its_place() {
    let token = github_token(3);
    let text = format!("x &quot;{}&#x5f;{}&quot;", &token[..3], &token[4..]);
    let secrets = scanner().scan_text(&text, Some("a.html")).secrets;
    assert_eq!(secrets.len(), 1, "{secrets:?}");
    assert_eq!((secrets[0].column, secrets[0].end_column), (9, text.len() as u32 - 5));
}

#[test]
fn only_what_stands_directly_before_a_quote_is_looked_at_on_every_border_of_the_sweep() {
    for shift in 0..70 {
        let text = format!("{}<a mysql_pwd\" value=\"some-thing-1\"", " ".repeat(shift));
        assert!(!scanner().scan_text(&text, Some("a.txt")).found, "{shift}");
        let text = format!("{}x = env.PASSWORD || '{}'", " ".repeat(shift), password());
        assert_eq!(scanner().scan_text(&text, Some("a.js")).secrets.len(), 1, "{shift}");
    }
}

#[test]
fn a_place_to_fill_in_is_none_in_an_address_either() {
    none_found(&[
        (
            "a.log",
            "GET /?u=postgres%3A%2F%2Fuser%3A%24%7BDB_PASS%7D%40db.acme.io%2Fx",
        ),
        ("a.txt", "postgres://user:%7Bpass%7D@db.acme.io/x"),
    ]);
    all_found(&[("a.env", "PASSWORD=$P$"), ("a.txt", "postgres://user:$P$@db.acme.io/x")]);
}

#[test]
fn a_value_on_the_next_line_is_its_names() {
    all_found(&[
        ("a.yml", "password: >-\n  $P$\n"),
        ("a.yml", "api_key: |\n  $K$\nb: c\n"),
        ("a.yml", "db:\n  password:\n    $P$\n  user: x\n"),
        ("a.yml", "password:\r\n  \"$P$\"\r\n"),
    ]);
    none_found(&[
        ("a.yml", "password: |\n  Choose $P$ or\n  something else\n"),
        ("a.yml", "password:\n  minLength: 12345678\n"),
        ("a.yml", "password:\n  - Upper-Case-1\n"),
        ("a.yml", "password:\nother: x1-y2-z3\n"),
    ]);
}

#[test]
fn a_text_in_hex_is_read_and_a_hash_is_none() {
    let hex = |text: &str| hex::encode(text);
    let long = format!("DB_PASSWORD={}\nHEROKU_API_KEY=x", password());
    for text in [
        long,
        format!("token={}", github_token(5)),
        format!("api_key = \"{}\"", key()),
    ] {
        let hidden = hex(&text);
        for shown in [format!("dump {hidden} end"), format!("x = 0x{}", hidden.to_uppercase())] {
            assert_eq!(
                scanner().scan_text(&shown, Some("a.txt")).secrets.len(),
                1,
                "{text}: {shown}"
            );
        }
    }
    for text in [
        hex("hello world, nothing is to be seen in here"),
        "5d41402abc4b2a76b9719d911017c592".repeat(2),
    ] {
        assert!(
            !scanner().scan_text(&format!("dump {text} end"), Some("a.txt")).found,
            "{text}"
        );
    }
}
