// Alerts and transitions, as they come.

import { useState } from 'preact/hooks'
import { changed } from '../route.js'
import { clock, clockOrDay, count, measure } from '../sql.js'
import { isNarrow } from '../parts/narrow.js'
import { Activity } from './activity.js'
import type { Feed, Happened } from './model.js'
import type { Watch } from './watch.js'

/** How many are shown of each. */
const SHOWN = 50

export function Happenings({ watch: { model, choice } }: { watch: Watch }) {
  const { alerts } = choice
  return (
    <>
      {alerts !== undefined ? (
        <List title="Alerts" of={typeof alerts === 'number' ? `stronger than ${alerts}` : alerts.name} feed={model.alerts}>
          {(alert) => (
            <>
              <Activity name={alert.from} />
              {alert.magnitude !== null && <data value={alert.magnitude}>{measure(alert.magnitude)}</data>}
            </>
          )}
        </List>
      ) : (
        <section class="feed">
          <h2>Alerts</h2>
          <p class="muted">
            No stream has alerts of these readings.{' '}
            <a href={changed({ alerts: '10' })}>Show readings stronger than 10</a>, or another bound under “Stream and columns”.
          </p>
        </section>
      )}
      {choice.columns.activity && (
        <List title="Transitions" of={choice.transitions?.name ?? 'found in the readings'} feed={model.transitions}>
          {(transition) => (
            <>
              <Activity name={transition.from} />
              <span aria-label="to">→</span>
              <Activity name={transition.to} />
            </>
          )}
        </List>
      )}
    </>
  )
}

interface ListProps {
  title: string
  of: string
  feed: Feed
  children: (happened: Happened) => preact.ComponentChildren
}

function List({ title, of, feed, children }: ListProps) {
  const [held, setHeld] = useState<{ newest: Happened[]; total: number }>()
  const { newest, total } = held ?? feed
  const hold = () => setHeld(held ? undefined : { newest: [...feed.newest], total: feed.total })
  return (
    <details class="feed" open={!isNarrow()}>
      <summary>
        <h2>
          {title} <data value={feed.total}>{count(feed.total)}</data>
        </h2>
        {newest[0] && (
          <span class="newest">
            {newest[0].device} {children(newest[0])}
          </span>
        )}
      </summary>
      <header>
        <p class="muted">
          {of}
          {total > SHOWN && `, the newest ${SHOWN}`}
        </p>
        <button type="button" class="quiet" aria-pressed={held !== undefined} onClick={hold}>
          {held ? `Go on, ${count(feed.total - total)} newer` : 'Hold'}
        </button>
      </header>
      <ol tabIndex={0} aria-label={title}>
        {newest.slice(0, SHOWN).map((happened, at) => (
          // By their places: where many come, the same items get other words, which is far less than new items.
          <li key={at}>
            <time title={clock(happened.time)}>{clockOrDay(happened.time)}</time>
            <a href={changed({ device: happened.device })}>{happened.device}</a>
            <span class="what">{children(happened)}</span>
          </li>
        ))}
      </ol>
      {total === 0 && <p class="muted">None yet.</p>}
    </details>
  )
}
