// Places where no sign assigns a value to its name, each as people write it in its language.
import { camel, snake, upper } from './files.mjs'

/** What stands where somebody else reads a variable: form → [kind of file, write(r, name, value)][] */
export const PLACES = {
  fallback: [
    ['js', (r, n, v) => r.pick([`const x = process.env.${upper(n)} || '${v}'`, `  ${camel(n)}: process.env.${upper(n)} ?? "${v}",`, `const ${camel(n)} = config.value || '${v}';`, `connect(process.env['${upper(n)}'] || "${v}")`, `const { ${camel(n)} = '${v}' } = options`])],
    ['ts', (r, n, v) => r.pick([`const x: string = process.env.${upper(n)} ?? '${v}'`, `  ${camel(n)}: import.meta.env.VITE_${upper(n)} || "${v}",`, `connect(options?.${camel(n)} ?? '${v}')`])],
    ['py', (r, n, v) => r.pick([`x = os.environ.get("${upper(n)}", "${v}")`, `x = os.getenv('${upper(n)}', '${v}')`, `x = os.environ.get("${upper(n)}") or "${v}"`, `${snake(n)} = os.getenv("SERVICE_CONFIG", "${v}")`])],
    ['rb', (r, n, v) => r.pick([`x = ENV.fetch("${upper(n)}", "${v}")`, `x = ENV['${upper(n)}'] || '${v}'`, `x = ENV.fetch("${upper(n)}") { "${v}" }`])],
    ['php', (r, n, v) => r.pick([`$x = getenv("${upper(n)}") ?: "${v}";`, `$x = env('${upper(n)}', '${v}');`, `$x = $_ENV['${upper(n)}'] ?? '${v}';`])],
    ['java', (r, n, v) => r.pick([`    String x = System.getenv().getOrDefault("${upper(n)}", "${v}");`, `    @Value("\${${snake(n)}:${v}}")`, `    String x = System.getProperty("${snake(n)}", "${v}");`])],
    ['kt', (r, n, v) => `val x = System.getenv("${upper(n)}") ?: "${v}"`],
    ['cs', (r, n, v) => `    var x = Environment.GetEnvironmentVariable("${upper(n)}") ?? "${v}";`],
    ['rs', (r, n, v) => r.pick([`    let x = std::env::var("${upper(n)}").unwrap_or("${v}".to_string());`, `    let x = std::env::var("${upper(n)}").unwrap_or_else(|_| "${v}".into());`])],
    ['go', (r, n, v) => r.pick([`\tx := getEnv("${upper(n)}", "${v}")`, `\tviper.SetDefault("${snake(n)}", "${v}")`])],
    ['sh', (r, n, v) => r.pick([`x="\${${upper(n)}:-${v}}"`, `: "\${${upper(n)}:=${v}}"`, `export ${upper(n)}=\${${upper(n)}:-${v}}`])],
    ['yaml', (r, n, v) => r.pick([`    X: \${${upper(n)}:-${v}}`, `      - ${upper(n)}=\${${upper(n)}:-${v}}`, `    ${snake(n)}: \${${upper(n)}:${v}}`])],
  ],
  call: [
    ['java', (r, n, v) => r.pick([`    source.set${camel(`_${n}`)}("${v}");`, `    builder.${camel(n)}("${v}").build();`])],
    ['ts', (r, n, v) => r.pick([`const client = builder.with${camel(`_${n}`)}('${v}').build()`, `  .${camel(n)}("${v}")`])],
    ['py', (r, n, v) => `client.set_${snake(n)}("${v}")`],
    ['cs', (r, n, v) => `    options.Use${camel(`_${n}`)}("${v}");`],
    ['sql', (r, n, v) => r.pick([`ALTER USER app WITH PASSWORD '${v}';`, `CREATE USER app IDENTIFIED BY '${v}';`])],
  ],
  element: [
    ['html', (r, n, v) => r.pick([`<input type="password" value="${v}">`, `<input name="${n}" class="wide" value="${v}">`, `<input value="${v}" id="${n}" hidden>`])],
    ['xml', (r, n, v) => r.pick([`  <string name="${snake(n)}">${v}</string>`, `  <key>${n}</key>\n  <string>${v}</string>`, `  <property><name>${n}</name><value>${v}</value></property>`, `  <${n}><![CDATA[${v}]]></${n}>`, `  <server id="main" ${camel(n)}="${v}"/>`])],
  ],
  entity: [
    ['html', (r, n, v) => r.pick([`<div data-config="{&quot;${n}&quot;:&quot;${v}&quot;}"></div>`, `<code>${upper(n)}=&#39;${v}&#39;</code>`, `<code>${n}: &#x22;${v}&#x22;</code>`])],
    ['log', (r, n, v) => `10.0.0.1 - - "GET /cb?state=%7B%22${n}%22%3A%22${v}%22%7D HTTP/1.1" 302`],
  ],
  'next line': [
    ['yaml', (r, n, v) => r.pick([`${snake(n)}: >-\n  ${v}`, `${snake(n)}: |\n  ${v}`, `${snake(n)}:\n  ${v}`, `${snake(n)}: >\n    ${v}`])],
  ],
}
const hexed = (text) => text.replace(/[&<>"']/g, (c) => `&#x${c.charCodeAt(0).toString(16)};`)

/** A value as its place asks for it. */
export const encoded = (form, kind, text) => (form !== 'entity' ? text : kind === 'log' ? encodeURIComponent(text) : hexed(text))

/** Where whatever stands is a password, only what is obviously none is none. */
export const certain = (form, kind) => kind === 'sql' || (form === 'element' && kind === 'html')
export const OBVIOUS = ['variable', 'password-placeholder', 'your-key']
