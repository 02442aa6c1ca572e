export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
type Members = { [key: string]: Json }

const base: Members = { name: 'plugin-a', description: 'Does something.' }
const action: Members = { name: 'DO_IT', description: 'Does it.' }

const plugin = (members: Members): Members => ({ ...base, actions: [action], ...members })

/** A plugin with one action that has these members too. */
export const withAction = (members: Members, more: Members = {}): Members =>
  plugin({ actions: [{ ...action, ...members }], ...more })

const withHttp = (members: Members, more: Members = {}): Members =>
  withAction({ http: { url: 'https://api.example.com/v1', ...members } }, more)

const city: Members = { city: { type: 'string', required: true } }
const token: Members = { environmentVariables: [{ name: 'API_TOKEN', description: 'x', required: true }] }

export const valid: Record<string, Members> = {
  'the smallest one': plugin({}),
  'a schema for editors': plugin({ $schema: './specification.schema.json' }),
  'a scope': plugin({ name: '@acme/plugin-a.b_c' }),
  'the prefix elizaos': plugin({ name: 'elizaos-plugin-a' }),
  'a pre-release': plugin({ version: '1.2.3-beta.1+build' }),
  'a provider alone': { ...base, providers: [{ name: 'A_FACT', description: 'x', dataStructure: { a: 'number' } }] },
  'a service alone': { ...base, services: [{ name: 'a_service', description: 'x', methods: ['go', { name: 'get_it', description: '' }] }] },
  'an evaluator alone': { ...base, evaluators: [{ name: 'SEEN', description: 'x', triggers: 'word' }] },
  'names in other styles': plugin({ actions: [{ ...action, name: 'do it now' }, { ...action, name: 'doIt2' }] }),
  'parameters as a map': withAction({ parameters: { ...city, n: 'integer', s: { enum: ['a', 'b'], default: 'a' } } }),
  'parameters as a list': withAction({ parameters: [{ name: 'city', type: 'string', required: true }] }),
  'parameters as JSON Schema': withAction({
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  }),
  'parameters of every type': withAction({
    parameters: { a: { type: 'number', default: 1.5 }, b: { type: 'integer', enum: [1, 2] }, c: { type: 'boolean', default: false } },
  }),
  'a parameter called type': withAction({ parameters: { type: { type: 'string' } } }),
  'a request in full': withAction(
    {
      parameters: { ...city, days: { type: 'integer' } },
      http: {
        method: 'post', url: 'https://api.example.com:8443/v1/{city}?a=1', query: { d: '{days}' },
        headers: { Authorization: 'Bearer ${API_TOKEN}' }, body: { d: '{days}', list: [1, null, 'x {city}'] },
        result: 'items[0].name', phrase: '{city}: {result}', timeout: 100,
      },
    },
    token,
  ),
  'a place with a dollar': withHttp({ result: '$.a.b' }),
  'http to localhost': withHttp({ url: 'http://localhost:3000/x' }),
  'http to the loopback address': withHttp({ url: 'http://127.0.0.1:1/x' }),
  'dependencies': plugin({ dependencies: { zod: '^3.25.0', '@scope/x': '>=1 <3', any: '*', '@elizaos/core': '^1.7.0' } }),
  'empty lists': plugin({ providers: [], services: [], evaluators: [], environmentVariables: [], dependencies: {} }),
  'braces as text': withHttp({ method: 'POST', body: { query: '{ user { name } }' } }),
}

interface Invalid {
  specification: Json
  path: string
  inSchema: boolean
}

const by = (specification: Json, path: string): Invalid => ({ specification, path, inSchema: true })
/** What a schema cannot say. */
const beyond = (specification: Json, path: string): Invalid => ({ specification, path, inSchema: false })

export const invalid: Record<string, Invalid> = {
  'null': by(null, '$'),
  'a schema that is a number': by(plugin({ $schema: 7 }), '$["$schema"]'),
  'a list': by([], '$'),
  'a text': by('plugin-a', '$'),
  'nothing in it': by({}, '$.name'),
  'no component': by(base, '$'),
  'empty components': by({ ...base, actions: [] }, '$'),
  'a name that climbs': by(plugin({ name: '../plugin-a' }), '$.name'),
  'a name in capitals': by(plugin({ name: 'Plugin-A' }), '$.name'),
  'a name without plugin-': by(plugin({ name: '@acme/weather' }), '$.name'),
  'a name that is too long': by(plugin({ name: `plugin-${'a'.repeat(100)}` }), '$.name'),
  'a name that ends with a dot': by(plugin({ name: 'plugin-a.' }), '$.name'),
  'a name that is a number': by(plugin({ name: 7 }), '$.name'),
  'a name of ElizaOS': beyond(plugin({ name: '@elizaos/plugin-sql' }), '$.name'),
  'an empty description': by(plugin({ description: ' ' }), '$.description'),
  'a long description': by(plugin({ description: 'x'.repeat(4001) }), '$.description'),
  'a description with a hidden character': beyond(plugin({ description: 'a\u202eb' }), '$.description'),
  'a null version': by(plugin({ version: null }), '$.version'),
  'a version with v': by(plugin({ version: 'v1.0.0' }), '$.version'),
  'an unknown member': by(plugin({ action: [] }), '$.action'),
  'actions as an object': by(plugin({ actions: {} }), '$.actions'),
  '51 actions': by(plugin({ actions: Array.from({ length: 51 }, (_, n) => ({ ...action, name: `DO_${n}` })) }), '$.actions'),
  'an action that is a text': by(plugin({ actions: ['DO_IT'] }), '$.actions[0]'),
  'an action without a name': by(plugin({ actions: [{ description: 'x' }] }), '$.actions[0].name'),
  'an action with a foreign letter': by(plugin({ actions: [{ ...action, name: 'DÖ_IT' }] }), '$.actions[0].name'),
  'an action with a misspelt member': by(withAction({ paramters: {} }), '$.actions[0].paramters'),
  'an action of ElizaOS': beyond(plugin({ actions: [{ ...action, name: 'sendMessage' }] }), '$.actions[0].name'),
  'two actions of one name': beyond(plugin({ actions: [action, { ...action, name: 'doIt' }] }), '$.actions[1].name'),
  'a provider of ElizaOS': beyond(plugin({ providers: [{ name: 'time', description: 'x' }] }), '$.providers[0].name'),
  'a service of ElizaOS': beyond(plugin({ services: [{ name: 'task', description: 'x' }] }), '$.services[0].name'),
  'an evaluator of ElizaOS': beyond(plugin({ evaluators: [{ name: 'reflection', description: 'x' }] }), '$.evaluators[0].name'),
  'a parameter of no type': by(withAction({ parameters: { a: { type: 'array' } } }), '$.actions[0].parameters.a.type'),
  'a parameter with a space': by(withAction({ parameters: { 'a b': {} } }), '$.actions[0].parameters["a b"]'),
  'a parameter called constructor': by(withAction({ parameters: [{ name: 'constructor' }] }), '$.actions[0].parameters[0].name'),
  'a parameter twice': beyond(withAction({ parameters: [{ name: 'a' }, { name: 'a' }] }), '$.actions[0].parameters[1].name'),
  'required as a text': by(withAction({ parameters: { a: { required: 'yes' } } }), '$.actions[0].parameters.a.required'),
  'a default of another type': beyond(withAction({ parameters: { a: { type: 'integer', default: 'x' } } }), '$.actions[0].parameters.a.default'),
  'a default outside of enum': beyond(withAction({ parameters: { a: { enum: ['x'], default: 'y' } } }), '$.actions[0].parameters.a.default'),
  'an empty enum': by(withAction({ parameters: { a: { enum: [] } } }), '$.actions[0].parameters.a.enum'),
  'required that names nothing': beyond(
    withAction({ parameters: { type: 'object', properties: {}, required: ['b'] } }),
    '$.actions[0].parameters.required',
  ),
  'a request without url': by(withAction({ http: {} }), '$.actions[0].http.url'),
  'plain http': by(withHttp({ url: 'http://api.example.com' }), '$.actions[0].http.url'),
  'http to a look-alike of localhost': by(withHttp({ url: 'http://localhost.example.com' }), '$.actions[0].http.url'),
  'a relative url': by(withHttp({ url: '/v1' }), '$.actions[0].http.url'),
  'a file url': by(withHttp({ url: 'file:///etc/passwd' }), '$.actions[0].http.url'),
  'a url with a password': beyond(withHttp({ url: 'https://a:b@api.example.com' }), '$.actions[0].http.url'),
  'a host from a parameter': beyond(withAction({ parameters: city, http: { url: 'https://a{city}.com/' } }), '$.actions[0].http.url'),
  'a path that climbs': beyond(withHttp({ url: 'https://api.example.com/a/../b' }), '$.actions[0].http.url'),
  'a fragment': by(withHttp({ url: 'https://api.example.com/#x' }), '$.actions[0].http.url'),
  'an undeclared parameter': beyond(withHttp({ query: { q: '{city}' } }), '$.actions[0].http.query.q'),
  'an undeclared variable': beyond(withHttp({ headers: { 'X-Key': '${API_TOKEN}' } }), '$.actions[0].http.headers["X-Key"]'),
  'an undeclared parameter in the body': beyond(withHttp({ method: 'PUT', body: [{ a: '{b}' }] }), '$.actions[0].http.body'),
  'an optional parameter in the path': beyond(
    withAction({ parameters: { a: {} }, http: { url: 'https://api.example.com/{a}' } }),
    '$.actions[0].http.url',
  ),
  'a setting in the phrase': beyond(withHttp({ phrase: '${API_TOKEN}' }, token), '$.actions[0].http.phrase'),
  'a parameter in a provider': beyond(
    plugin({ providers: [{ name: 'A_FACT', description: 'x', http: { url: 'https://api.example.com/{a}' } }] }),
    '$.providers[0].http.url',
  ),
  'an unknown method': by(withHttp({ method: 'BREW' }), '$.actions[0].http.method'),
  'a body with GET': beyond(withHttp({ body: {} }), '$.actions[0].http.body'),
  'a header of the connection': beyond(withHttp({ headers: { Host: 'x' } }), '$.actions[0].http.headers.Host'),
  'a header that is a number': by(withHttp({ headers: { 'X-A': 1 } }), '$.actions[0].http.headers["X-A"]'),
  'a header with a line feed': beyond(withHttp({ headers: { 'X-A': 'a\nb' } }), '$.actions[0].http.headers["X-A"]'),
  'a broken place': beyond(withHttp({ result: 'a..b' }), '$.actions[0].http.result'),
  'a time-out of nothing': by(withHttp({ timeout: 0 }), '$.actions[0].http.timeout'),
  'a time-out as a text': by(withHttp({ timeout: '5s' }), '$.actions[0].http.timeout'),
  'a method called stop': beyond(plugin({ services: [{ name: 'a_b', description: 'x', methods: ['stop'] }] }), '$.services[0].methods[0]'),
  'an empty trigger': by(plugin({ evaluators: [{ name: 'A_B', description: 'x', triggers: [''] }] }), '$.evaluators[0].triggers[0]'),
  'a null data structure': by(plugin({ providers: [{ name: 'A_B', description: 'x', dataStructure: null }] }), '$.providers[0].dataStructure'),
  'a lower-case variable': by(plugin({ environmentVariables: [{ name: 'token', description: 'x' }] }), '$.environmentVariables[0].name'),
  'a variable of the process': beyond(plugin({ environmentVariables: [{ name: 'NODE_OPTIONS', description: 'x' }] }), '$.environmentVariables[0].name'),
  'a git dependency': by(plugin({ dependencies: { a: 'git+https://example.com/a' } }), '$.dependencies.a'),
  'a GitHub dependency': by(plugin({ dependencies: { a: 'owner/a' } }), '$.dependencies.a'),
  'a file dependency': by(plugin({ dependencies: { a: 'file:../a' } }), '$.dependencies.a'),
  'an aliased dependency': by(plugin({ dependencies: { a: 'npm:b@1' } }), '$.dependencies.a'),
  'a tag for a version': beyond(plugin({ dependencies: { a: 'latest' } }), '$.dependencies.a'),
  'a bad package name': by(plugin({ dependencies: { '../a': '1' } }), '$.dependencies["../a"]'),
  'dependencies as a list': by(plugin({ dependencies: ['zod'] }), '$.dependencies'),
}
