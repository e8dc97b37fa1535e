// What was run in this browser, the newest first.

import { Store } from '../store.js'

const KEY = 'history'
const KEPT = 100
/** Longer texts are not kept. */
const LENGTH_MAX = 20_000

function read(): string[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]')
    return Array.isArray(found) ? found.filter((one) => typeof one === 'string') : []
  } catch {
    // What others have put there is no history.
    return []
  }
}

export const history = new Store<string[]>(read())

export function remember(text: string): void {
  if (text.trim() === '' || text.length > LENGTH_MAX) return
  // Another tab may have added to it.
  const all = [text, ...read().filter((other) => other !== text)].slice(0, KEPT)
  history.set(all)
  try {
    localStorage.setItem(KEY, JSON.stringify(all))
  } catch {
    // Then it is that of this page.
  }
}

export function forget(): void {
  history.set([])
  localStorage.removeItem(KEY)
}
