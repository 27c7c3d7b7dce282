// What /readyz answers, and how the page tells it.

export type Readiness =
  | { state: 'ready' | 'not ready'; checks: { name: string; passed: boolean }[] }
  | { state: 'unreachable' }

/** Asks the service whether it is ready. It never throws: no answer, or one that makes no sense, is "unreachable". */
export async function askReadiness(fetcher: typeof fetch): Promise<Readiness> {
  try {
    const response = await fetcher('/readyz', { headers: { Accept: 'application/json' } })
    const body: unknown = await response.json()
    if (typeof body !== 'object' || body === null || !('checks' in body)) return { state: 'unreachable' }
    const { checks } = body
    if (typeof checks !== 'object' || checks === null) return { state: 'unreachable' }
    return {
      state: response.ok ? 'ready' : 'not ready',
      checks: Object.entries(checks).map(([name, result]) => ({ name, passed: result === 'ok' })),
    }
  } catch {
    return { state: 'unreachable' }
  }
}

/** Shows readiness in words and signs; colour only repeats them. */
export function showReadiness(into: HTMLElement, readiness: Readiness): void {
  into.dataset['state'] = readiness.state
  switch (readiness.state) {
    case 'ready':
      into.replaceChildren(line('p', 'verdict', true, 'Ready'), list(readiness.checks))
      break
    case 'not ready':
      into.replaceChildren(line('p', 'verdict', false, 'Not ready'), list(readiness.checks), hint('The service’s log says why.'))
      break
    case 'unreachable':
      into.replaceChildren(line('p', 'verdict', false, 'No answer'), hint('The service could not be asked. Is it still running?'))
  }
}

function list(checks: { name: string; passed: boolean }[]): HTMLElement {
  const ul = document.createElement('ul')
  ul.append(...checks.map(({ name, passed }) => line('li', '', passed, `${name}: ${passed ? 'ok' : 'failed'}`)))
  return ul
}

function line(tag: 'p' | 'li', className: string, good: boolean, text: string): HTMLElement {
  const element = document.createElement(tag)
  element.className = className
  element.dataset['state'] = good ? 'good' : 'bad'
  const sign = document.createElement('span')
  sign.setAttribute('aria-hidden', 'true')
  sign.textContent = good ? '✓ ' : '✗ '
  element.append(sign, text)
  return element
}

function hint(text: string): HTMLElement {
  const p = document.createElement('p')
  p.className = 'hint'
  p.textContent = text
  return p
}
