// Queries that run for good: their state, their statement and plan, how far they are; and how they are stopped.

import { useState } from 'preact/hooks'
import { stateOf, type Offsets, type RunningQuery, type Source } from '../catalogue.js'
import { useQueryFigures } from '../figures.js'
import { SkippedRecords } from '../log/records.js'
import { useSkipped } from '../log/skipped.js'
import { Confirm } from '../parts/confirm.js'
import { useKept } from '../parts/load.js'
import { Name } from '../parts/name.js'
import { Empty, Notice } from '../parts/notice.js'
import { changed, href, route } from '../route.js'
import { statements } from '../server.js'
import { count, quoted } from '../sql.js'
import { useStore } from '../store.js'
import { Flow } from './flow.js'
import { OverTime, Stores } from './past.js'
import { Plan } from './plan.js'

interface Description {
  id: string
  statementText: string
  sources: string[]
  sinks: string[]
  topology: string
  executionPlan: string
  state: string
  queryErrors: { errorMessage: string; type: string; timestamp: number }[]
}

async function queries(): Promise<RunningQuery[]> {
  const [answer] = await statements('SHOW QUERIES;')
  return (answer!['queries'] as RunningQuery[]).sort((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }))
}

/** How far the query is in a partition of a topic that it reads. */
type Place = Offsets & { topic: string }

async function describe(id: string): Promise<{ description: Description; places: Place[] }> {
  const [answer] = await statements(`EXPLAIN ${id};`)
  const description = answer!['queryDescription'] as Description
  const [sink] = description.sinks
  if (sink === undefined) return { description, places: [] }
  const [described] = await statements(`DESCRIBE ${quoted(sink)} EXTENDED;`)
  const { queryOffsetSummaries } = described!['sourceDescription'] as Source
  const own = queryOffsetSummaries.filter(({ groupId }) => groupId.endsWith(`query_${id}`))
  const places = own.flatMap(({ topicSummaries }) =>
    topicSummaries.flatMap(({ kafkaTopic, offsets }) => offsets.map((offset) => ({ topic: kafkaTopic, ...offset }))),
  )
  return { description, places }
}

export function Queries() {
  const { parameters } = useStore(route)
  const { value: all, error, again } = useKept(queries, [])
  if (error) return <Notice kind="error">The queries cannot be listed: {error.message}</Notice>
  if (!all) return <p class="muted" role="status">Asking the server for its queries…</p>
  const id = parameters.get('query')
  const chosen = id === null ? all[0] : all.find((query) => query.id === id)
  return (
    <>
      <header class="view-head">
        <h1>Queries</h1>
        <span class="muted" role="status">
          {states(all)}
        </span>
      </header>
      {all.length === 0 ? (
        <Empty title="No query runs">
          <p>
            <code>CREATE STREAM … AS SELECT</code>, <code>CREATE TABLE … AS SELECT</code> and <code>INSERT INTO … SELECT</code>{' '}
            start one.
          </p>
        </Empty>
      ) : (
        <div class="two">
          <nav class="list" aria-label="Queries">
            <ul>
              {all.map((query) => (
                <li key={query.id}>
                  <a href={changed({ query: query.id })} aria-current={query === chosen ? 'true' : undefined}>
                    <Name text={query.id} />
                    <State state={stateOf(query)} />
                  </a>
                </li>
              ))}
            </ul>
          </nav>
          {chosen ? <One key={chosen.id} query={chosen} again={again} /> : <Empty title={`There is no query ${id}`} />}
        </div>
      )}
    </>
  )
}

/** How many are in each state. */
function states(all: RunningQuery[]): string {
  const counts = new Map<string, number>()
  for (const query of all) counts.set(stateOf(query), (counts.get(stateOf(query)) ?? 0) + 1)
  return [...counts].map(([state, n]) => `${count(n)} ${state.toLowerCase()}`).join(', ')
}

function State({ state }: { state: string }) {
  const is = state === 'RUNNING' ? 'here' : state === 'PAUSED' ? 'paused' : 'away'
  return <span class={`pill ${is}`}>{state.toLowerCase()}</span>
}

type Action = 'PAUSE' | 'RESUME' | 'TERMINATE'

const ACTIONS: Record<Action, { label: string; says: string }> = {
  PAUSE: { label: 'Pause', says: 'It takes no more records until it is resumed. What its tables hold can still be asked for.' },
  RESUME: { label: 'Resume', says: 'It goes on with the records that have come meanwhile.' },
  TERMINATE: { label: 'Terminate', says: 'It ends for good. Its sink stays, and nothing writes to it any more.' },
}

function One({ query, again }: { query: RunningQuery; again: () => void }) {
  const { value: described, error, again: againHere } = useKept(() => describe(query.id), [query.id])
  const [asked, setAsked] = useState<Action>()
  const [refused, setRefused] = useState<string>()
  const act = async (action: Action) => {
    setRefused(undefined)
    try {
      await statements(`${action} ${query.id};`)
    } catch (error) {
      setRefused(`${query.id} cannot be ${{ PAUSE: 'paused', RESUME: 'resumed', TERMINATE: 'terminated' }[action]}: ${(error as Error).message}`)
    }
    again()
    againHere()
  }
  const actions: Action[] = [stateOf(query) === 'PAUSED' ? 'RESUME' : 'PAUSE', 'TERMINATE']
  return (
    <article class="one">
      <header>
        <h2>
          <Name text={query.id} />
        </h2>
        <State state={stateOf(query)} />
        {query.queryType === 'PERSISTENT' && (
          <span class="actions">
            {actions.map((action) => (
              <button type="button" key={action} class={action === 'TERMINATE' ? 'danger' : ''} onClick={() => setAsked(action)}>
                {ACTIONS[action].label}
              </button>
            ))}
          </span>
        )}
      </header>
      {asked && (
        <Confirm
          title={`${ACTIONS[asked].label} ${query.id}?`}
          action={ACTIONS[asked].label}
          isFinal={asked === 'TERMINATE'}
          onAnswer={(isYes) => {
            setAsked(undefined)
            if (isYes) void act(asked)
          }}
        >
          <p>{ACTIONS[asked].says}</p>
        </Confirm>
      )}
      {refused && <Notice kind="error">{refused}</Notice>}
      {error && <Notice kind="error">It cannot be explained: {error.message}</Notice>}
      <Live id={query.id} />
      <section class="panel">
        <h3>Statement</h3>
        <pre tabIndex={0}>{query.queryString}</pre>
      </section>
      {described && <Described {...described} />}
    </article>
  )
}

function Live({ id }: { id: string }) {
  const { value: figures, error } = useQueryFigures(id)
  const own = figures?.queries.find((query) => query.id === id)
  if (error) return <Notice kind="error">Its figures are not given: {error.message}</Notice>
  if (!own || !figures) return null
  return (
    <>
      <Flow query={own} figures={figures} />
      {Object.keys(own.skipped).length > 0 && <Skipped id={id} />}
      <OverTime id={id} />
      <Stores query={own} />
    </>
  )
}

/** How many of the last records that it has skipped are shown. */
const SKIPPED_SHOWN = 5

function Skipped({ id }: { id: string }) {
  const { known, error } = useSkipped({ query: id })
  if (error) return <Notice kind="error">What it has skipped is not told: {error.message}</Notice>
  if (!known) return null
  return (
    <section class="panel">
      <div class="result-head">
        <h3>Last skipped records</h3>
        <a href={href('log', { query: id })}>All of them</a>
      </div>
      <SkippedRecords all={known.records.slice(0, SKIPPED_SHOWN)} isOfOne />
    </section>
  )
}

function Described({ description, places }: { description: Description; places: Place[] }) {
  const source = (name: string) => (
    <a key={name} href={href('sources', { source: name })}>
      {name}{' '}
    </a>
  )
  return (
    <>
      {description.queryErrors.map((error) => (
        <Notice kind="error" key={`${error.timestamp} ${error.errorMessage}`}>
          {error.errorMessage}
        </Notice>
      ))}
      <section class="panel">
        <p>
          <span class="muted">Reads </span>
          {description.sources.map(source)}
        </p>
        <p>
          <span class="muted">Writes </span>
          {description.sinks.map(source)}
        </p>
      </section>
      <Progress places={places} />
      <section class="panel">
        <h3>Plan</h3>
        <Plan text={description.executionPlan} />
        <details>
          <summary>Topology</summary>
          <pre tabIndex={0}>{description.topology}</pre>
        </details>
      </section>
    </>
  )
}

/** How far each partition is read, as it is committed. */
function Progress({ places }: { places: Place[] }) {
  if (places.length === 0) return null
  return (
    <section class="panel">
      <h3>
        Committed offsets{' '}
        <span class="muted">{count(places.reduce((sum, place) => sum + behind(place), 0))} records behind the ends</span>
      </h3>
      <div class="scrolled" tabIndex={0} role="region" aria-label="Committed offsets">
        <table class="plain committed">
          <thead>
            <tr>
              <th scope="col">Topic</th>
              <th scope="col">Partition</th>
              <th scope="col">Committed</th>
              <th scope="col">End</th>
              <th scope="col">Behind</th>
            </tr>
          </thead>
          <tbody>
            {places.map((place) => (
              <tr key={`${place.topic} ${place.partition}`}>
                <td>{place.topic}</td>
                <td>{place.partition}</td>
                <td>{count(place.consumerOffset)}</td>
                <td>{count(place.logEndOffset)}</td>
                <td>{count(behind(place))}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}

function behind({ logEndOffset, consumerOffset }: Offsets): number {
  return Math.max(0, logEndOffset - Math.max(0, consumerOffset))
}
