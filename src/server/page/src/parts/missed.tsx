// What is said once rows come again that did not for a while.

import type { Live } from '../live.js'
import { clock } from '../sql.js'
import { useStore } from '../store.js'
import { Notice } from './notice.js'

interface MissedProps {
  live: Live
  /** What its rows are: `Readings`. */
  what: string
  /** What becomes of the rows from before, where they are told again in part. */
  anew?: string
}

export function Missed({ live, what, anew }: MissedProps) {
  const missed = useStore(live.missed)
  if (!missed) return null
  const [from, to] = [clock(missed.from), clock(missed.to)]
  return (
    <Notice kind="warning" onDismiss={() => live.missed.set(undefined)}>
      {anew === undefined
        ? `${what} between ${from} and ${to} may be missing here: the connection was lost.`
        : `The connection was lost from ${from} to ${to}: ${anew}.`}
    </Notice>
  )
}
