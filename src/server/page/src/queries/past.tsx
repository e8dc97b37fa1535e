// A query over the last quarter of an hour or six hours, figure by figure; and what its stores hold.

import { useQueryPast, now, SPANS, type QueryFigures, type Span } from '../figures.js'
import { Notice } from '../parts/notice.js'
import { Spans } from '../parts/spans.js'
import { Trace } from '../parts/trace.js'
import { route } from '../route.js'
import { count, rate } from '../sql.js'
import { useStore } from '../store.js'

/** The figures that are shown, and their names. */
const SHOWN: [string, string][] = [
  ['read_per_second', 'Read a second'],
  ['written_per_second', 'Written a second'],
  ['lag', 'Lag'],
  ['skipped_per_second', 'Skipped a second'],
  ['late_per_second', 'Late a second'],
  ['stored_rows', 'Rows in stores'],
  ['commits_per_second', 'Commits a second'],
  ['failures_per_second', 'Failures a second'],
  ['restored_per_second', 'Restored a second'],
  ['restoring', 'To be restored'],
]

export function OverTime({ id }: { id: string }) {
  const { parameters } = useStore(route)
  const span: Span = parameters.get('span') === '6 h' ? '6 h' : '15 min'
  const { past, error } = useQueryPast(id, span)
  return (
    <section class="panel">
      <div class="result-head">
        <h3>Over {span === '6 h' ? '6 h' : '15 minutes'}</h3>
        <Spans chosen={span} />
      </div>
      {error && <Notice kind="error">Figures over time are not given: {error.message}</Notice>}
      <div class="scrolled" tabIndex={0} role="region" aria-label="Figures over time">
        <table class="plain over-time">
          <thead>
            <tr>
              <th scope="col">Figure</th>
              <th scope="col">Now</th>
              <th scope="col">Most</th>
              <th scope="col" class="traced">
                Over time
              </th>
            </tr>
          </thead>
          <tbody>
            {SHOWN.map(([figure, label]) => {
              const values = past.values.get(figure) ?? []
              const most = values.reduce<number>((all, value) => Math.max(all, value ?? 0), 0)
              const isRate = figure.endsWith('_per_second')
              return (
                <tr key={figure}>
                  <th scope="row">{label}</th>
                  <td>{rate(isRate ? now(values) : values.at(-1) ?? null)}</td>
                  <td>{rate(most)}</td>
                  <td class="traced">
                    <Trace values={values} max={most} version={past.end} points={SPANS[span].points} />
                  </td>
                </tr>
              )
            })}
          </tbody>
        </table>
      </div>
    </section>
  )
}

/** How many partitions of stores are listed. */
const LISTED_MAX = 200

/** What the stores of a query hold, by partition. */
export function Stores({ query }: { query: QueryFigures }) {
  const all = query.stores ?? []
  if (all.length === 0) return null
  const names = [...new Set(all.map(({ store }) => store))]
  const rowsOf = (name: string) => all.filter(({ store }) => store === name)
  return (
    <section class="panel">
      <h3>
        State <span class="muted">rows, as of the last commit</span>
      </h3>
      <div class="scrolled" tabIndex={0} role="region" aria-label="State by partition">
        <table class="plain stores">
          <thead>
            <tr>
              <th scope="col">Store</th>
              <th scope="col">Partition</th>
              <th scope="col">Rows</th>
              <th scope="col" class="bar">
                Share
              </th>
            </tr>
          </thead>
          <tbody>
            {names.flatMap((name) => {
              const own = rowsOf(name)
              const total = own.reduce((sum, { rows }) => sum + rows, 0)
              return own.slice(0, LISTED_MAX).map(({ partition, rows }, at) => (
                <tr key={`${name} ${partition}`}>
                  <th scope="row">{at === 0 ? name : <span class="hidden">{name}</span>}</th>
                  <td>{partition}</td>
                  <td>
                    <data value={rows}>{count(rows)}</data>
                  </td>
                  <td class="bar">
                    <span class="share" aria-hidden="true">
                      <i class="all" style={{ width: `${total === 0 ? 0 : (100 * rows) / total}%` }} />
                    </span>
                  </td>
                </tr>
              ))
            })}
          </tbody>
        </table>
      </div>
    </section>
  )
}
