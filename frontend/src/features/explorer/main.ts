import './explorer.css'

import { makeFetcher, type Fetcher } from './fetcher.ts'
import { firstLook } from './first-look.ts'
import { rememberedToken, rememberToken } from './token.ts'

// GraphiQL and React come as scripts of their own and put these names on the window.
interface Root {
  render(element: unknown): void
}

declare global {
  interface Window {
    React: { createElement(component: unknown, props: Record<string, unknown>): unknown }
    ReactDOM: { createRoot(container: Element): Root }
    GraphiQL: unknown
  }
}

const container = document.getElementById('explorer')
const form = document.querySelector<HTMLFormElement>('#token-form')
const field = document.querySelector<HTMLInputElement>('#token')
const forget = document.getElementById('forget')
const hint = document.getElementById('token-hint')

if (container !== null && form !== null && field !== null && forget !== null && hint !== null) {
  const root = window.ReactDOM.createRoot(container)

  // A new fetcher makes GraphiQL read the schema again, as seen by the new token.
  const render = (token: string | null): void => {
    hint.textContent = token === null ? 'No token: asking anonymously' : 'Kept for this tab'
    forget.hidden = token === null
    const fetcher: Fetcher = makeFetcher(token, window.fetch.bind(window))
    root.render(
      window.React.createElement(window.GraphiQL, {
        fetcher,
        defaultQuery: firstLook,
        shouldPersistHeaders: false,
        showPersistHeadersSettings: false,
      }),
    )
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const token = rememberToken(sessionStorage, field.value)
    field.value = ''
    render(token)
  })
  forget.addEventListener('click', () => {
    render(rememberToken(sessionStorage, ''))
    field.focus()
  })
  render(rememberedToken(sessionStorage))
}
