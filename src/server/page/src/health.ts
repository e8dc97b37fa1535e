// Whether the server is there. It is asked every few seconds, for a connection that was cut in silence says nothing.

import { Away, info, Refusal, shutOut, statements } from './server.js'
import { Store } from './store.js'

export type Health =
  | { state: 'asking' }
  | { state: 'here'; service: string; gap?: { from: number; to: number } }
  | { state: 'away'; since: number; why: string }
  | { state: 'refused'; why: string }

const EVERY_MS = 5_000
/** How long an answer is waited for. */
const PATIENCE_MS = 4_000
/** How often it is asked while it is away. */
const AWAY_MS = 1_000

export const health = new Store<Health>({ state: 'asking' })

/** What changes while the server is away is to be looked at again: called once it is back. */
const returns = new Set<() => void>()

export function onReturn(call: () => void): () => void {
  returns.add(call)
  return () => returns.delete(call)
}

async function ask(): Promise<void> {
  try {
    const { ksqlServiceId } = await info(AbortSignal.timeout(PATIENCE_MS))
    // What is got is answered to a page that may post nothing; whether that is still so, only a post tells.
    if (shutOut.value !== undefined) await statements('').catch(() => undefined)
    if (shutOut.value !== undefined) throw new Refusal(shutOut.value, 403)
    const before = health.value
    if (before.state === 'away') {
      health.set({ state: 'here', service: ksqlServiceId, gap: { from: before.since, to: Date.now() } })
      for (const call of returns) call()
    } else if (before.state !== 'here') {
      health.set({ state: 'here', service: ksqlServiceId })
      if (before.state === 'refused') for (const call of returns) call()
    }
  } catch (error) {
    if (error instanceof Refusal) health.set({ state: 'refused', why: error.message })
    else away(error instanceof Away ? error.message : 'the server does not answer')
  }
}

/** Notes that the server is away, and goes on asking. */
export function away(why: string): void {
  const before = health.value
  const since = before.state === 'away' ? before.since : Date.now()
  if (before.state !== 'away' || before.why !== why) health.set({ state: 'away', since, why })
  if (before.state !== 'away') restart()
}

/** Forgets that it was away. */
export function dismissGap(): void {
  const now = health.value
  if (now.state === 'here' && now.gap) health.set({ state: 'here', service: now.service })
}

let timer: ReturnType<typeof setTimeout> | undefined

function restart(): void {
  clearTimeout(timer)
  timer = setTimeout(() => void loop(), AWAY_MS)
}

async function loop(): Promise<void> {
  await ask()
  clearTimeout(timer)
  timer = setTimeout(() => void loop(), health.value.state === 'here' ? EVERY_MS : AWAY_MS)
}

export function watchHealth(): void {
  shutOut.follow(() => {
    if (shutOut.value === undefined) return
    health.set({ state: 'refused', why: shutOut.value })
    restart()
  })
  void loop()
  // A machine that wakes up asks at once.
  addEventListener('online', () => void loop())
}
