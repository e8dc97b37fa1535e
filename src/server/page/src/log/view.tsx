// The processing log: what queries skip and why, by query and cause, over time, and the records themselves.

import { useSkips } from '../figures.js'
import { Empty, Notice } from '../parts/notice.js'
import { Plot } from '../parts/plot.js'
import { changed, go, href, route } from '../route.js'
import { count } from '../sql.js'
import { useStore } from '../store.js'
import { SkippedRecords } from './records.js'
import { CAUSES, causeText, useSkipped, type SkipCount, type Wanted } from './skipped.js'

/** How high the chart is, in pixels. */
const CHART_PX = 130

export function Log() {
  const { parameters } = useStore(route)
  const wanted: Wanted = { query: parameters.get('query') ?? undefined, cause: parameters.get('cause') ?? undefined }
  const { known, error } = useSkipped(wanted)
  if (error) return <Notice kind="error">What was skipped is not told: {error.message}</Notice>
  if (!known) return <p class="muted" role="status">Asking the server what was skipped…</p>
  const { counts, records, areRowsIncluded } = known
  const total = counts.reduce((sum, one) => sum + one.count, 0)
  return (
    <>
      <header class="view-head">
        <h1>Processing log</h1>
        <span class="muted" role="status">
          <data class="skipped-total" value={total}>
            {count(total)}
          </data>{' '}
          since the server started
        </span>
      </header>
      {total === 0 && records.length === 0 ? (
        <Empty title="Nothing was skipped">
          <p>Records that cannot be read, come too late or fail in an expression are counted here, and the last of them are shown.</p>
        </Empty>
      ) : (
        <div class="one">
          <Counts counts={counts} wanted={wanted} />
          <OverTime query={wanted.query} />
          <section class="panel">
            <div class="result-head">
              <h2>Newest records</h2>
              <Choice counts={counts} wanted={wanted} />
            </div>
            {!areRowsIncluded && (
              <p class="muted">
                Keys and values are not shown: <code>ksql.logging.processing.rows.include</code> is <code>false</code>.
              </p>
            )}
            {records.length === 0 ? <p class="muted">None of these is kept.</p> : <SkippedRecords all={records} />}
            <p class="muted">
              Each is counted; of many that come together some are shown. Of each query and cause the last 50 are kept, whether or not
              there is a topic for the processing log.
            </p>
          </section>
        </div>
      )}
    </>
  )
}

/** How many there are, of each query for each cause. */
function Counts({ counts, wanted }: { counts: SkipCount[]; wanted: Wanted }) {
  const queries = [...new Set(counts.map(({ query }) => query))]
  const causes = Object.keys(CAUSES).filter((cause) => counts.some((one) => one.cause === cause))
  const of = (query: string, cause: string) => counts.find((one) => one.query === query && one.cause === cause)?.count ?? 0
  if (counts.length === 0) return null
  return (
    <section class="panel">
      <h2>By query and cause</h2>
      <div class="scrolled" tabIndex={0} role="region" aria-label="Skipped by query and cause">
        <table class="plain skip-counts">
          <thead>
            <tr>
              <th scope="col">Query</th>
              {causes.map((cause) => (
                <th scope="col" key={cause}>
                  {causeText(cause)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {queries.map((query) => (
              <tr key={query}>
                <th scope="row">
                  <a href={href('queries', { query })}>{query}</a>
                </th>
                {causes.map((cause) => {
                  const found = of(query, cause)
                  const isChosen = wanted.query === query && wanted.cause === cause
                  return (
                    <td key={cause}>
                      {found === 0 ? (
                        <span class="muted">–</span>
                      ) : (
                        <a href={changed({ query, cause })} aria-current={isChosen ? 'true' : undefined} title={`Those of ${query}: ${causeText(cause)}`}>
                          <data value={found}>{count(found)}</data>
                        </a>
                      )}
                    </td>
                  )
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}

/** How many come a second, of one query or of all. */
function OverTime({ query }: { query: string | undefined }) {
  const { past, error } = useSkips(query)
  if (error) return <Notice kind="error">Figures over time are not given: {error.message}</Notice>
  if (past.count < 2) return null
  const what = `Records skipped a second${query === undefined ? '' : ` by ${query}`}`
  return (
    <section class="panel">
      <h2>{what}</h2>
      <Plot
        label={`${what}, over 15 minutes`}
        lines={[{ label: 'skipped', colour: 'bad' }]}
        data={[past.seconds, past.known]}
        version={past.end}
        height={CHART_PX}
        isTime
        range={(_, max) => [0, Math.max(1, max)]}
      />
    </section>
  )
}

/** Of which query and for which cause records are shown. */
function Choice({ counts, wanted }: { counts: SkipCount[]; wanted: Wanted }) {
  const options = (named: string[], chosen: string | undefined) =>
    [...new Set([...named, ...(chosen === undefined ? [] : [chosen])])].sort()
  const choose = (name: keyof Wanted, value: string) => go(changed({ [name]: value || undefined }), false)
  return (
    <>
      <label>
        <span class="hidden">Of which query</span>
        <select value={wanted.query ?? ''} onChange={(event) => choose('query', event.currentTarget.value)}>
          <option value="">of all queries</option>
          {options(counts.map(({ query }) => query), wanted.query).map((query) => (
            <option key={query} value={query}>
              {query}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span class="hidden">For which cause</span>
        <select value={wanted.cause ?? ''} onChange={(event) => choose('cause', event.currentTarget.value)}>
          <option value="">for any cause</option>
          {options(counts.map(({ cause }) => cause), wanted.cause).map((cause) => (
            <option key={cause} value={cause}>
              {causeText(cause)}
            </option>
          ))}
        </select>
      </label>
    </>
  )
}
