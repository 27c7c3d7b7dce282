import { describe, expect, test } from 'vitest'

import { askReadiness, showReadiness, type Readiness } from './readiness.ts'

const answering = (status: number, body: string): typeof fetch =>
  () => Promise.resolve(new Response(body, { status }))

describe('what the service answers', () => {
  test.each<[string, typeof fetch, Readiness]>([
    ['ready', answering(200, '{"status":"ready","checks":{"database":"ok"}}'), { state: 'ready', checks: [{ name: 'database', passed: true }] }],
    ['one check failed', answering(503, '{"checks":{"database":"ok","signer":"failed"}}'), { state: 'not ready', checks: [{ name: 'database', passed: true }, { name: 'signer', passed: false }] }],
    ['a word that is not known is no pass', answering(200, '{"checks":{"database":"perhaps"}}'), { state: 'ready', checks: [{ name: 'database', passed: false }] }],
    ['no JSON, as from a proxy', answering(502, '<h1>Bad gateway</h1>'), { state: 'unreachable' }],
    ['JSON of another shape', answering(200, '[]'), { state: 'unreachable' }],
    ['JSON null', answering(200, 'null'), { state: 'unreachable' }],
    ['checks that are no object', answering(200, '{"checks":null}'), { state: 'unreachable' }],
    ['nothing', () => Promise.reject(new TypeError('connection refused')), { state: 'unreachable' }],
  ])('%s', async (_name, fetcher, want) => {
    expect(await askReadiness(fetcher)).toEqual(want)
  })
})

describe('what the page shows', () => {
  const shown = (readiness: Readiness): HTMLElement => {
    const element = document.createElement('div')
    showReadiness(element, readiness)
    return element
  }

  test('a failed check is told in words, not by colour alone', () => {
    const element = shown({ state: 'not ready', checks: [{ name: 'signer', passed: false }, { name: 'database', passed: true }] })
    expect(element.textContent).toContain('Not ready')
    expect([...element.querySelectorAll('li')].map((li) => li.textContent)).toEqual(['✗ signer: failed', '✓ database: ok'])
  })

  test('no answer says what to look at', () => {
    expect(shown({ state: 'unreachable' }).textContent).toContain('Is it still running?')
  })

  test('names are text, whatever they hold', () => {
    const element = shown({ state: 'ready', checks: [{ name: '<img src=x>', passed: true }] })
    expect(element.querySelector('img')).toBeNull()
    expect(element.textContent).toContain('<img src=x>')
  })
})
