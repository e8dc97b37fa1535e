// What is asked once, again once the server is back, and, where it changes by itself, every few seconds.

import { useCallback, useEffect, useState } from 'preact/hooks'
import { away, onReturn } from '../health.js'
import { Away } from '../server.js'

export interface Loaded<T> {
  value?: T
  /** Why there is none, in the server's words. */
  error?: Error
  again: () => void
}

/** How often what changes by itself is asked for while somebody looks. */
const EVERY_MS = 2_000

/** What changes by itself: asked for again some time after each answer, however long a slow server takes for that. */
export function useKept<T>(load: () => Promise<T>, inputs: readonly unknown[]): Loaded<T> {
  return useLoaded(load, inputs, EVERY_MS)
}

export function useLoaded<T>(load: () => Promise<T>, inputs: readonly unknown[], everyMs?: number): Loaded<T> {
  const [found, setFound] = useState<{ value?: T; error?: Error }>({})
  const [asked, setAsked] = useState(0)
  const again = useCallback(() => setAsked((count) => count + 1), [])
  useEffect(() => onReturn(again), [again])
  useEffect(() => {
    let isWanted = true
    let timer: ReturnType<typeof setTimeout> | undefined
    const wait = () => {
      if (isWanted && everyMs !== undefined) timer = setTimeout(() => (document.hidden ? wait() : again()), everyMs)
    }
    const answered = load().then(
      (value) => isWanted && setFound({ value }),
      (error: Error) => {
        if (error instanceof Away) away(error.message)
        else if (isWanted) setFound({ error })
      },
    )
    void answered.then(wait)
    return () => {
      isWanted = false
      clearTimeout(timer)
    }
  }, [...inputs, asked])
  return { ...found, again }
}
