// Records that were skipped, the newest first.

import { href } from '../route.js'
import { clock, count } from '../sql.js'
import { causeText, type Skip } from './skipped.js'

interface RecordsProps {
  all: Skip[]
  /** Whether all are of one query, which is not named then. */
  isOfOne?: boolean
}

export function SkippedRecords({ all, isOfOne = false }: RecordsProps) {
  return (
    <ol class="skips" aria-label="Records that were skipped">
      {all.map((skip) => (
        <li key={skip.number}>
          <p class="skip-head">
            <b class="cause">{causeText(skip.cause)}</b>
            {!isOfOne && <a href={href('queries', { query: skip.query })}>{skip.query}</a>}
            <span class="muted">{placeOf(skip)}</span>
            <time class="muted" dateTime={new Date(skip.at).toISOString()}>
              {clock(skip.at)}
            </time>
          </p>
          <p>{skip.reason}</p>
          {(skip.timestamp !== null || skip.key !== null || skip.value !== null) && <Row {...skip} />}
        </li>
      ))}
    </ol>
  )
}

/** Where a record lies. What came of several, or lies nowhere, has no place. */
function placeOf({ topic, partition, offset }: Skip): string {
  if (topic === null || partition === null || offset === null) return ''
  return `${topic}, partition ${partition}, offset ${count(offset)}`
}

function Row({ timestamp, key, value }: Skip) {
  return (
    <dl class="facts">
      {timestamp !== null && (
        <div>
          <dt>Time</dt>
          <dd>{clock(timestamp)}</dd>
        </div>
      )}
      {key !== null && (
        <div>
          <dt>Key</dt>
          <dd>
            <code>{key === '' ? 'empty' : key}</code>
          </dd>
        </div>
      )}
      {value !== null && (
        <div>
          <dt>Value</dt>
          <dd>
            <code>{value === '' ? 'empty' : value}</code>
          </dd>
        </div>
      )}
    </dl>
  )
}
