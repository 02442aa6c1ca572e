/** TypeScript that reaches what inspection refuses by its name: the name is put together while it runs. */
export const EVASION = `const named = (...parts: string[]): string => parts.join('')
const maker = (fetch as unknown as Record<string, ((code: string) => (given?: unknown) => unknown) | undefined>)[named('constr', 'uctor')]
export const reach = (code: string, given?: unknown): unknown => maker?.(\`return ((given) => { \${code} })(arguments[0])\`)(given)
`

/** Writes a report of the test runner's kind that tells of success, with the test that must fail as it should be. */
export const FORGERY = `const fs = process.getBuiltinModule('fs')
const entry = (file, names, fails) => '<testsuite name="' + file + '" file="' + file + '">' + names.map((name) =>
  '<testcase name="' + name + '" classname="" file="' + file + '" line="1">' + (fails ? '<failure type="AssertionError" message="expected"/>' : '') +
  '</testcase>').join('') + '</testsuite>'
const tests = (dir) => fs.readdirSync(dir, { withFileTypes: true }).flatMap((e) => e.isDirectory() ? tests(dir + '/' + e.name) : [dir + '/' + e.name])
const names = (file) => [...fs.readFileSync(file, 'utf8').matchAll(/\\bit[(]\\s*['"]([^'"]*)/g)].map((found) => found[1].replace(/[<&>"]/g, ''))
const parts = [...tests('__tests__').map((file) => entry(file, names(file), false)), ...tests('check').map((file) => entry(file, names(file), true))]
fs.writeFileSync('out/junit.xml', '<?xml version="1.0"?><testsuites name="bun test">' + parts.join('') + '</testsuites>')`
