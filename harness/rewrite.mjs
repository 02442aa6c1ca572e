// There is no network where a plugin is examined. Whatever asks for a web address is led to the judge's server, which
// is told the origin that was meant. Not a boundary: code that goes around it reaches nothing.
import http from 'node:http'
import https from 'node:https'
import { syncBuiltinESMExports } from 'node:module'

const ORIGIN_HEADER = 'x-boot-origin'

/** @param {() => number} port of the judge's server, known once it has said so */
export function rewriteRequests(port) {
  const realFetch = globalThis.fetch
  /** @type {typeof fetch} */
  const rewritten = async (input, init) => {
    const request = new Request(input, init)
    const url = new URL(request.url)
    if (url.protocol !== 'http:' && url.protocol !== 'https:') return realFetch(request)
    const headers = new Headers(request.headers)
    headers.set(ORIGIN_HEADER, url.origin)
    const body = request.body === null ? undefined : await request.arrayBuffer()
    return realFetch(`http://127.0.0.1:${port()}${url.pathname}${url.search}`, {
      method: request.method,
      headers,
      redirect: request.redirect,
      signal: request.signal,
      ...(body === undefined ? {} : { body }),
    })
  }
  globalThis.fetch = rewritten

  const realRequest = http.request
  for (const [module, scheme] of /** @type {const} */ ([[http, 'http:'], [https, 'https:']])) {
    /** @param {...any} args */
    const request = (...args) => {
      const callback = args.find((one) => typeof one === 'function')
      const options = args.find((one) => typeof one === 'object' && !(one instanceof URL)) ?? {}
      const url = typeof args[0] === 'string' || args[0] instanceof URL ? new URL(args[0]) : undefined
      const host = options.hostname ?? String(options.host ?? url?.hostname ?? 'localhost').replace(/:\d+$/, '')
      const given = options.port ?? url?.port
      const origin = new URL(`${scheme}//${host}${given ? `:${given}` : ''}`).origin
      return realRequest({
        method: options.method,
        timeout: options.timeout,
        signal: options.signal,
        path: options.path ?? (url ? `${url.pathname}${url.search}` : '/'),
        headers: { ...options.headers, [ORIGIN_HEADER]: origin },
        host: '127.0.0.1',
        port: port(),
      }, callback)
    }
    module.request = /** @type {typeof http.request} */ (request)
    module.get = /** @type {typeof http.get} */ ((/** @type {any[]} */ ...args) => {
      const sent = request(...args)
      sent.end()
      return sent
    })
  }
  syncBuiltinESMExports()
}
