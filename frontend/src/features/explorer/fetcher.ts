// How the explorer sends operations: one POST each, with the token of this tab.

export interface Operation {
  query: string
  operationName?: string | null
  variables?: unknown
}

export interface Options {
  headers?: Record<string, string>
}

export type Fetcher = (operation: Operation, options?: Options) => Promise<unknown>

/** Makes a fetcher for a token; null asks anonymously. What is written in the explorer's header editor wins. */
export function makeFetcher(token: string | null, send: typeof fetch): Fetcher {
  return async (operation, options) => {
    const headers = new Headers({
      Accept: 'application/graphql-response+json, application/json;q=0.9',
      'Content-Type': 'application/json',
    })
    if (token !== null) headers.set('Authorization', `Bearer ${token}`)
    for (const [name, value] of Object.entries(options?.headers ?? {})) headers.set(name, value)
    const response = await send('/graphql', { method: 'POST', headers, body: JSON.stringify(operation), credentials: 'omit' })
    const text = await response.text()
    try {
      return JSON.parse(text) as unknown
    } catch {
      return { errors: [{ message: `The service answered ${response.status} and no JSON: ${text.slice(0, 200)}` }] }
    }
  }
}
