// The token lives in sessionStorage: it ends with the tab, and no other tab reads it.

const key = 'plimsoll.token'

/** Returns this tab's token, or null when there is none. */
export function rememberedToken(storage: Storage): string | null {
  return storage.getItem(key)
}

/** Keeps a token for this tab, without the blanks and the scheme that come along when a header is pasted. Empty forgets it. */
export function rememberToken(storage: Storage, typed: string): string | null {
  const token = typed.trim().replace(/^(?:authorization:\s*)?bearer\s+/i, '')
  if (token === '') {
    storage.removeItem(key)
    return null
  }
  storage.setItem(key, token)
  return token
}
