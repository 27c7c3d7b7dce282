import { beforeEach, expect, test } from 'vitest'

import { makeFetcher } from './fetcher.ts'
import { rememberedToken, rememberToken } from './token.ts'

interface Sent {
  url: unknown
  init: RequestInit
}

const recording = (answer: Response): { send: typeof fetch; sent: Sent[] } => {
  const sent: Sent[] = []
  return { sent, send: (url, init) => { sent.push({ url, init: init ?? {} }); return Promise.resolve(answer) } }
}

const authorization = (sent: Sent[]): string | null => new Headers(sent[0]?.init.headers).get('Authorization')

beforeEach(() => {
  sessionStorage.clear()
})

test('the token goes into the header and nowhere else', async () => {
  const { send, sent } = recording(new Response('{"data":{}}'))
  await makeFetcher('secret-token', send)({ query: '{ viewer { principal } }' })
  expect(authorization(sent)).toBe('Bearer secret-token')
  expect(sent[0]?.url).toBe('/graphql')
  expect(sent[0]?.init.body).not.toContain('secret-token')
})

test('without a token there is no header, for an empty one would be refused', async () => {
  const { send, sent } = recording(new Response('{}'))
  await makeFetcher(null, send)({ query: '{ __typename }' })
  expect(authorization(sent)).toBeNull()
})

test('the header editor wins over the token field', async () => {
  const { send, sent } = recording(new Response('{}'))
  await makeFetcher('one', send)({ query: '{ __typename }' }, { headers: { authorization: 'Bearer two' } })
  expect(authorization(sent)).toBe('Bearer two')
})

test('a refusal is passed on as the service wrote it', async () => {
  const refusal = { errors: [{ message: 'no', extensions: { code: 'UNAUTHENTICATED' } }] }
  const { send } = recording(new Response(JSON.stringify(refusal), { status: 401 }))
  expect(await makeFetcher('old', send)({ query: '{ __typename }' })).toEqual(refusal)
})

test('an answer that is no JSON becomes an error that can be read', async () => {
  const { send } = recording(new Response('<h1>Bad gateway</h1>', { status: 502 }))
  expect(JSON.stringify(await makeFetcher('t', send)({ query: '{ __typename }' }))).toContain('answered 502 and no JSON')
})

test.each([
  ['  abc \n', 'abc'],
  ['Bearer abc', 'abc'],
  ['Authorization: Bearer abc', 'abc'],
  ['bearer-of-news', 'bearer-of-news'],
])('%j is kept as %j', (typed, kept) => {
  expect(rememberToken(sessionStorage, typed)).toBe(kept)
  expect(rememberedToken(sessionStorage)).toBe(kept)
})

test('an empty field forgets the token', () => {
  rememberToken(sessionStorage, 'abc')
  expect(rememberToken(sessionStorage, '  ')).toBeNull()
  expect(rememberedToken(sessionStorage)).toBeNull()
  expect(sessionStorage.length).toBe(0)
})
