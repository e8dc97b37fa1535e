// What is shown stands behind the `#` of the address: `#/devices?stream=READINGS`. It can be shared, and no server sees it.

import { Store } from './store.js'

export interface Route {
  view: string
  parameters: URLSearchParams
}

function parse(): Route {
  const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?')
  return { view: decodeURIComponent(path) || 'devices', parameters: new URLSearchParams(query) }
}

export const route = new Store<Route>(parse())
addEventListener('hashchange', () => route.set(parse()))

/** The address of a view. */
export function href(view: string, parameters: Record<string, string | undefined> = {}): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, value)
  const text = query.toString()
  return `#/${view}${text && `?${text}`}`
}

/** Goes to a view. What only refines it does not become a step of the browser's history. */
export function go(address: string, isStep = true): void {
  if (isStep) location.hash = address
  else {
    history.replaceState(null, '', address)
    route.set(parse())
  }
}

/** The address of the present view with parameters changed, or taken out where they are undefined. */
export function changed(changes: Record<string, string | undefined>): string {
  const { view, parameters } = route.value
  const all: Record<string, string | undefined> = Object.fromEntries(parameters)
  return href(view, { ...all, ...changes })
}
