// How the records of a topic lie over its partitions: all of them, those of the last minute, and over time.

import { now, SPANS, sum, usePast, type Past, type Span, type TopicFigures } from '../figures.js'
import { Notice } from '../parts/notice.js'
import { Plot } from '../parts/plot.js'
import { Spans } from '../parts/spans.js'
import { Trace } from '../parts/trace.js'
import { route } from '../route.js'
import { bytes, count, percent, rate } from '../sql.js'
import { useStore } from '../store.js'
import { HOT_FROM, overTime, UNEVEN_FROM, variation, word, WORDS } from './balance.js'

/** The most partitions that have a line; of more, those with most records. */
const SHOWN_MAX = 100

export function Distribution({ topic }: { topic: TopicFigures }) {
  const { parameters } = useStore(route)
  const span: Span = parameters.get('span') === '6 h' ? '6 h' : '15 min'
  const { past, error } = usePast(topic.name, span)
  return (
    <>
      <section class="panel">
        <div class="result-head">
          <h3>Distribution over partitions</h3>
          <Spans chosen={span} />
        </div>
        <p>
          <Verdict topic={topic} />
        </p>
        {error && <Notice kind="error">Figures over time are not given: {error.message}</Notice>}
        {past.isLeftOut && (
          <Notice kind="warning">
            There is no room for all figures over time: <code>ksql.millstream.history.max.bytes</code> gives them more.
          </Notice>
        )}
        <Partitions topic={topic} past={past} />
      </section>
      <OverTime past={past} topic={topic} />
    </>
  )
}

/** How balanced it is, in a sentence. */
function Verdict({ topic }: { topic: TopicFigures }) {
  const counts = topic.partitions.map(({ records }) => records)
  const is = word(topic.variation, counts)
  const largest = [...topic.partitions].sort((a, b) => b.records - a.records)[0]
  if (is === 'unknown' || !largest) return <>Nothing has been counted yet.</>
  if (is === 'single') return <>It has one partition, which has everything.</>
  const even = 1 / counts.length
  return (
    <>
      <b class={`verdict ${is}`}>{WORDS[is]}</b>: partition {largest.partition} has {percent(largest.share)}, where an even share is{' '}
      {percent(even)}. Coefficient of variation{' '}
      <data class="variation" value={topic.variation ?? ''}>
        {topic.variation === null ? '–' : topic.variation.toFixed(2)}
      </data>{' '}
      <span class="muted">
        (0: all have the same; uneven from {UNEVEN_FROM}, hot from {HOT_FROM})
      </span>
    </>
  )
}

function Partitions({ topic, past }: { topic: TopicFigures; past: Past }) {
  const recent = topic.partitions.map(({ over_time }) => sum(over_time.records_per_second))
  const recentTotal = sum(recent) ?? 0
  const lines = topic.partitions.map((partition, at) => {
    const last = recent[at] ?? null
    return { ...partition, recent: recentTotal > 0 && last !== null ? last / recentTotal : null }
  })
  const isCut = lines.length > SHOWN_MAX
  const shown = isCut ? [...lines].sort((a, b) => b.records - a.records).slice(0, SHOWN_MAX) : lines
  const max = Math.max(...[...past.partitions.values()].map((values) => values.reduce<number>((most, one) => Math.max(most, one ?? 0), 0)))
  const even = { left: `${100 / lines.length}%` }
  return (
    <>
      <div class="scrolled" tabIndex={0} role="region" aria-label="Partitions">
        <table class="plain partitions">
          <thead>
            <tr>
              <th scope="col">Partition</th>
              <th scope="col" class="bar">
                Share
              </th>
              <th scope="col">All</th>
              <th scope="col">Last minute</th>
              <th scope="col">Records</th>
              <th scope="col">Bytes</th>
              <th scope="col">End offset</th>
              <th scope="col">Records/s</th>
              <th scope="col" class="traced">
                Over {past.span}
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((line) => (
              <tr key={line.partition}>
                <th scope="row">{line.partition}</th>
                <td class="bar">
                  <span class="share" aria-hidden="true">
                    <i class="all" style={{ width: `${100 * (line.share ?? 0)}%` }} />
                    <i class="recent" style={{ width: `${100 * (line.recent ?? 0)}%` }} />
                    <i class="even" style={even} />
                  </span>
                </td>
                <td>
                  <data class="share-all" value={line.share ?? ''}>
                    {percent(line.share)}
                  </data>
                </td>
                <td>{percent(line.recent)}</td>
                <td>
                  <data class="records" value={line.records}>
                    {topic.counted === 'offsets' && '≤ '}
                    {count(line.records)}
                  </data>
                </td>
                <td>{bytes(line.bytes)}</td>
                <td>{count(line.end)}</td>
                <td>{rate(now(line.over_time.records_per_second))}</td>
                <td class="traced">
                  <Trace
                    values={past.partitions.get(line.partition) ?? []}
                    max={max}
                    version={past.end}
                    points={SPANS[past.span].points}
                  />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="muted legend">
        <i class="all" aria-hidden="true" /> all that was counted <i class="recent" aria-hidden="true" /> the last minute{' '}
        <i class="even" aria-hidden="true" /> an even share
        {isCut && `. The ${SHOWN_MAX} partitions with most records of ${count(lines.length)}`}
      </p>
    </>
  )
}

function OverTime({ past, topic }: { past: Past; topic: TopicFigures }) {
  const { rates, variations } = overTime(past)
  const isKnown = rates[1].some((value) => value !== null)
  const isVaried = variations[1].some((value) => value !== null)
  const latest = variation(topic.partitions.map(({ over_time }) => sum(over_time.records_per_second) ?? 0))
  return (
    <div class="summary">
      <section class="tile wide">
        <h2>
          Records a second <b>{rate(rates[1].findLast((value) => value !== null) ?? null)}</b>
        </h2>
        {isKnown ? (
          <Plot
            label={`Records a second over ${past.span}`}
            lines={[{ label: 'records a second', colour: 'accent' }]}
            data={rates}
            version={past.end}
            height={120}
            isTime
            range={(_, max) => [0, Math.max(max, 1)]}
          />
        ) : (
          <p class="muted">Nothing is known of the time before: points come each {past.stepMs / 1000} s.</p>
        )}
      </section>
      {topic.partitions.length > 1 && (
        <section class="tile wide">
          <h2>
            Coefficient of variation <b>{latest === null ? '–' : latest.toFixed(2)}</b> <small>in the last minute</small>
          </h2>
          {isVaried ? (
            <Plot
              label={`Coefficient of variation over ${past.span}`}
              lines={[{ label: 'variation', colour: 'axis-y', isBars: true }]}
              data={variations}
              version={past.end}
              height={120}
              isTime
              range={(_, max) => [0, Math.max(max, 1)]}
            />
          ) : (
            <p class="muted">No record came in this time.</p>
          )}
        </section>
      )}
    </div>
  )
}
