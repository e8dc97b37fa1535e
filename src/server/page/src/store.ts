// Values that views follow.

import { useEffect, useState } from 'preact/hooks'

export class Store<T> {
  readonly #followers = new Set<() => void>()
  #value: T

  constructor(value: T) {
    this.#value = value
  }

  get value(): T {
    return this.#value
  }

  set(value: T): void {
    if (Object.is(value, this.#value)) return
    this.#value = value
    for (const follower of [...this.#followers]) follower()
  }

  follow(follower: () => void): () => void {
    this.#followers.add(follower)
    return () => this.#followers.delete(follower)
  }
}

/** The value of a store, drawn anew when that changes. */
export function useStore<T>(store: Store<T>): T {
  const [, setCount] = useState(0)
  useEffect(() => store.follow(() => setCount((count) => count + 1)), [store])
  return store.value
}

/** How often what changes all the time is drawn. */
const DRAW_MS = 250

/** What counts its changes, so that it is drawn only if there were any. */
export interface Changing {
  version: number
}

/** How many times as long as drawing takes nothing is drawn, so that a slow machine has time for what comes. */
const REST = 3

/** Draws anew four times a second at most, and not while nothing changes or nobody looks. */
export function useVersion(changing: Changing): number {
  const [version, setVersion] = useState(changing.version)
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>
    let drawn = -1
    let isOver = false
    const look = () => {
      if (isOver) return
      if (document.hidden || changing.version === drawn) {
        timer = setTimeout(look, DRAW_MS)
        return
      }
      drawn = changing.version
      const began = performance.now()
      setVersion(drawn)
      // Behind the frame in which it is drawn.
      requestAnimationFrame(() => {
        timer = setTimeout(() => {
          const took = performance.now() - began
          timer = setTimeout(look, Math.max(DRAW_MS - took, REST * took))
        })
      })
    }
    look()
    return () => {
      isOver = true
      clearTimeout(timer)
    }
  }, [changing])
  return version
}
