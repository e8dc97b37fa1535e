// Streams and tables: their columns, who reads and who writes them, and what they hold.

import { useEffect, useState } from 'preact/hooks'
import { sources, typeText, type RunningQuery, type Source } from '../catalogue.js'
import { Facts } from '../parts/facts'
import { Grid } from '../parts/grid.js'
import { health } from '../health.js'
import { useLoaded } from '../parts/load.js'
import { Missed } from '../parts/missed.js'
import { Name } from '../parts/name.js'
import { Empty, Notice } from '../parts/notice.js'
import { changed, go, href, route } from '../route.js'
import { clock, count } from '../sql.js'
import { useStore, useVersion } from '../store.js'
import { NEWEST_MAX, Rows, ROWS_MAX } from './rows.js'

export function Sources() {
  const { parameters } = useStore(route)
  const { value: all, error, again } = useLoaded(sources, [])
  const search = parameters.get('search') ?? ''
  if (error) return <Notice kind="error">The sources cannot be listed: {error.message}</Notice>
  if (!all) return <p class="muted" role="status">Asking the server for its sources…</p>
  const name = parameters.get('source')
  const chosen = name === null ? all[0] : all.find((source) => source.name === name)
  const found = all.filter((source) => `${source.name} ${source.topic}`.toLowerCase().includes(search.toLowerCase()))
  return (
    <>
      <header class="view-head">
        <h1>Sources</h1>
        <label class="search">
          <span class="hidden">Search sources</span>
          <input
            type="search"
            placeholder="Search name or topic"
            value={search}
            onInput={(event) => go(changed({ search: event.currentTarget.value || undefined }), false)}
          />
        </label>
        <button type="button" onClick={again}>
          Refresh
        </button>
        <span class="muted">{count(found.length)} sources</span>
      </header>
      {all.length === 0 ? (
        <Empty title="No streams and tables yet">
          <p>
            <code>CREATE STREAM</code> and <code>CREATE TABLE</code> define them, over topics that there are or that are made.
          </p>
        </Empty>
      ) : (
        <div class="two">
          <List all={found} chosen={chosen} />
          {chosen ? <One key={chosen.name} source={chosen} /> : <Empty title={`There is no source ${name}`} />}
        </div>
      )}
    </>
  )
}

function List({ all, chosen }: { all: Source[]; chosen: Source | undefined }) {
  return (
    <nav class="list" aria-label="Sources">
      <ul>
        {all.map((source) => (
          <li key={source.name}>
            <a href={changed({ source: source.name })} aria-current={source === chosen ? 'true' : undefined}>
              <Name text={source.name} />
              <small>{source.type.toLowerCase()}</small>
            </a>
          </li>
        ))}
      </ul>
    </nav>
  )
}

function One({ source }: { source: Source }) {
  const facts: [string, string][] = [
    ['Topic', source.topic],
    ['Partitions', count(source.partitions)],
    ['Key format', source.keyFormat],
    ['Value format', source.valueFormat],
  ]
  if (source.windowType !== null) facts.push(['Windows', source.windowType.toLowerCase()])
  if (source.timestamp) facts.push(['Time of rows', source.timestamp])
  return (
    <article class="one">
      <header>
        <h2>
          <Name text={source.name} />
        </h2>
        <span class="muted">{source.type.toLowerCase()}</span>
      </header>
      <Facts all={facts} />
      <section class="panel">
        <h3>Columns</h3>
        <ul class="columns">
          {source.fields.map((field) => (
            <li key={field.name}>
              <b>{field.name}</b> <code>{typeText(field.schema)}</code>
              {field.type === 'KEY' && <small> key</small>}
              {field.type === 'HEADER' && <small> header</small>}
            </li>
          ))}
        </ul>
      </section>
      <section class="panel">
        <Queries title="Written by" none="no query here; producers write its topic" queries={source.writeQueries} />
        <Queries title="Read by" none="no query" queries={source.readQueries} />
        <details>
          <summary>Statement</summary>
          <pre tabIndex={0}>{source.statement}</pre>
        </details>
      </section>
      <Content source={source} />
    </article>
  )
}

function Queries({ title, none, queries }: { title: string; none: string; queries: RunningQuery[] }) {
  return (
    <p>
      <span class="muted">{title} </span>
      {queries.length === 0
        ? none
        : queries.map((query, at) => (
            <>
              {at > 0 && ', '}
              <a key={query.id} href={href('queries', { query: query.id })}>
                {query.id}
              </a>
            </>
          ))}
    </p>
  )
}

function Content({ source }: { source: Source }) {
  const [rows, setRows] = useState<Rows>()
  useEffect(() => {
    if (!rows?.goesOnFor(source)) setRows(new Rows(source))
  }, [source])
  useEffect(() => () => rows?.live.stop(), [rows])
  return rows ? <Held rows={rows} name={source.name} /> : null
}

function Held({ rows, name }: { rows: Rows; name: string }) {
  useVersion(rows)
  const state = useStore(rows.live.state)
  const isServerAway = useStore(health).state === 'away'
  const now = Date.now()
  const { list, isTable } = rows
  return (
    <section class="panel">
      <h3>
        {isTable ? 'Rows as they are now' : 'Newest rows'}{' '}
        <span class="muted">
          {isTable
            ? `${count(list.length)} rows, ${count(rows.changes)} changes since the beginning`
            : `${count(rows.changes)} since this was opened${rows.changes > NEWEST_MAX ? `, the newest ${NEWEST_MAX}` : ''}`}
        </span>
      </h3>
      {(state.state === 'refused' || state.state === 'ended') && <Notice kind="error">They are not given: {state.why}</Notice>}
      {state.state === 'away' && !isServerAway && (
        <Notice kind="warning">
          Nothing comes since {clock(state.since)}: {state.why}. It is asked again.
        </Notice>
      )}
      {!isTable && <Missed live={rows.live} what="Rows" />}
      {rows.leftOut > 0 && (
        <Notice kind="warning">
          {count(rows.leftOut)} changes are of further keys: no more than {count(ROWS_MAX)} rows are shown.
        </Notice>
      )}
      {rows.columns.length > 0 && (
        <Grid
          label={`Rows of ${name}`}
          columns={rows.columns}
          count={list.length}
          row={(at) => list[at]?.cells ?? []}
          rowKey={(at) => list[at]?.key ?? at}
          isFresh={(at) => rows.isFresh(at, now)}
        />
      )}
      {list.length === 0 && <p class="muted">{isTable ? 'It has no rows yet.' : 'Those are shown that come from now on.'}</p>}
    </section>
  )
}
