// Light, dark, or as the system has it.

import { Store, useStore } from '../store.js'

type Theme = 'system' | 'light' | 'dark'
const KEY = 'theme'
const NEXT: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' }

function kept(): Theme {
  try {
    const found = localStorage.getItem(KEY)
    return found === 'light' || found === 'dark' ? found : 'system'
  } catch {
    // A browser that keeps nothing asks its system.
    return 'system'
  }
}

const theme = new Store<Theme>(kept())
const dark = matchMedia('(prefers-color-scheme: dark)')

/** Changes with the colours, for what is drawn on canvases. */
export const colours = new Store({})

const known = new Map<string, string>()

function apply(): void {
  const isDark = theme.value === 'dark' || (theme.value === 'system' && dark.matches)
  document.documentElement.dataset['theme'] = isDark ? 'dark' : 'light'
  known.clear()
  colours.set({})
}

apply()
theme.follow(apply)
dark.addEventListener('change', apply)

/** A colour of the style sheet. */
export function colour(name: string): string {
  let found = known.get(name)
  if (found === undefined) {
    found = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()
    known.set(name, found)
  }
  return found
}

export function ThemeSwitch() {
  const now = useStore(theme)
  const next = NEXT[now]
  const change = () => {
    theme.set(next)
    try {
      localStorage.setItem(KEY, next)
    } catch {
      // Then it holds for this page.
    }
  }
  return (
    <button type="button" class="quiet" onClick={change} title={`Colours: ${now}. Change to ${next}`}>
      <span aria-hidden="true">{now === 'light' ? '☀' : now === 'dark' ? '☾' : '◐'}</span>
      <span class="hidden">{`Colours: ${now}. Change to ${next}`}</span>
    </button>
  )
}
