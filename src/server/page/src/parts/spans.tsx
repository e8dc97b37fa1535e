// The time that charts show, to be chosen; the address keeps it.

import { SPANS, type Span } from '../figures.js'
import { changed, go } from '../route.js'

export function Spans({ chosen }: { chosen: Span }) {
  return (
    <span class="spans" role="group" aria-label="Time that charts show">
      {(Object.keys(SPANS) as Span[]).map((span) => (
        <button
          type="button"
          key={span}
          aria-pressed={span === chosen}
          onClick={() => go(changed({ span: span === '15 min' ? undefined : span }), false)}
        >
          {span}
        </button>
      ))}
    </span>
  )
}
