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

export function useLoaded<T>(load: () => Promise<T>, inputs: readonly unknown[]): Loaded<T> {
  const [found, setFound] = useState<{ value?: T; error?: Error }>({})
  const [asked, setAsked] = useState(0)
  const again = useCallback(() => setAsked((count) => count + 1), [])
  useEffect(() => onReturn(again), [again])
  useEffect(() => {
    let isWanted = true
    load().then(
      (value) => isWanted && setFound({ value }),
      (error: Error) => {
        if (error instanceof Away) away(error.message)
        else if (isWanted) setFound({ error })
      },
    )
    return () => {
      isWanted = false
    }
  }, [...inputs, asked])
  return { ...found, again }
}

/** How often what changes by itself is asked for while somebody looks. */
const EVERY_MS = 2_000

/** Asks again and again while the page is looked at. */
export function useEvery(again: () => void): void {
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) again()
    }, EVERY_MS)
    return () => clearInterval(timer)
  }, [again])
}
