// What a query reads, does and writes, as a graph, with what is counted of it now.

import { useMemo, useRef } from 'preact/hooks'
import { now, sum, type Figures, type QueryFigures } from '../figures.js'
import { Facts } from '../parts/facts'
import { useIsNarrow } from '../parts/narrow.js'
import { Name } from '../parts/name.js'
import { Notice } from '../parts/notice.js'
import { href } from '../route.js'
import { count, rate } from '../sql.js'
import { graph, layOut, subTopologies, type Box, type GraphEdge, type GraphNode, type PlacedStep, type Sizes } from './topology.js'

const WIDE: Sizes = { topic: 120, part: 238, along: 46, across: 18, topicHeight: 100, partHeight: 30, stepHeight: 44 }
const NARROW: Sizes = { ...WIDE, topic: 180, part: 290, along: 40, topicHeight: 78 }

interface FlowProps {
  query: QueryFigures
  figures: Figures
}

export function Flow({ query, figures }: FlowProps) {
  const isNarrow = useIsNarrow()
  const rates = useRates(query, figures.at)
  const all = query.steps ?? []
  const drawn = useMemo(() => graph(subTopologies(all, query.sink_topic)), [all, query.sink_topic])
  const { boxes, width, height } = layOut(drawn, isNarrow ? NARROW : WIDE, isNarrow)
  if (drawn.nodes.length === 0) return null
  const ends = ({ from, to }: GraphEdge) => {
    const [a, b] = [boxes.get(from.key)!, boxes.get(to.key)!]
    return isNarrow
      ? { x1: a.left + a.width / 2, y1: a.top + a.height, x2: b.left + b.width / 2, y2: b.top }
      : { x1: a.left + a.width, y1: a.top + a.height / 2, x2: b.left, y2: b.top + b.height / 2 }
  }
  const px = ({ left, top, width, height }: Box) => ({ left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` })
  return (
    <section class="panel">
      <h3>Live</h3>
      <Standing query={query} />
      <div class="scrolled" tabIndex={0} role="region" aria-label="What it reads, does and writes">
        <div class={`flow ${tone(query)}`} style={{ width: `${width}px`, height: `${height}px` }}>
          <svg width={width} height={height} aria-hidden="true">
            <marker id="flow-end" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">
              <path d="M 0 0 L 8 4 L 0 8 z" />
            </marker>
            {drawn.edges.map((edge) => {
              const { x1, y1, x2, y2 } = ends(edge)
              const bend = isNarrow ? `${x1} ${(y1 + y2) / 2}, ${x2} ${(y1 + y2) / 2}` : `${(x1 + x2) / 2} ${y1}, ${(x1 + x2) / 2} ${y2}`
              return <path key={`${edge.from.key} ${edge.to.key}`} class="way" d={`M ${x1} ${y1} C ${bend}, ${x2} ${y2}`} marker-end="url(#flow-end)" />
            })}
          </svg>
          <ul>
            {drawn.nodes.map((node) => (
              <li key={node.key} class={node.topic === undefined ? 'part' : 'topic'} style={px(boxes.get(node.key)!)}>
                <Node node={node} query={query} rates={rates} isKnown={figures.topics.some(({ name }) => name === node.topic)} />
              </li>
            ))}
            {drawn.edges.map((edge) => {
              const { x1, y1, x2, y2 } = ends(edge)
              const texts = edgeTexts(edge, query, rates)
              return (
                <li key={`${edge.from.key} ${edge.to.key}`} class="edge" style={{ left: `${(x1 + x2) / 2}px`, top: `${(y1 + y2) / 2}px` }}>
                  {texts.map((text) => (
                    <span key={text}>{text}</span>
                  ))}
                </li>
              )
            })}
          </ul>
        </div>
      </div>
      <p class="muted">
        Each step takes rows and gives rows, a second at present: of a source all records, and what it cannot read counts as failed.
        What waits in a cache is given with the next commit.
      </p>
    </section>
  )
}

interface NodeProps {
  node: GraphNode
  query: QueryFigures
  rates: Rates
  isKnown: boolean
}

function Node({ node: { topic, part }, query, rates, isKnown }: NodeProps) {
  if (topic !== undefined) {
    const isInMemory = topic.endsWith('-repartition') && partitionsOf(query, topic).length === 0
    return (
      <>
        <small>{isInMemory ? 'in memory' : 'topic'}</small>
        {isKnown ? (
          <a href={href('topics', { topic })}>
            <Name text={topic} />
          </a>
        ) : (
          <Name text={topic} />
        )}
      </>
    )
  }
  return (
    <>
      <small>sub-topology {part!.id}</small>
      <ol class="steps">
        {part!.steps.map((step) => (
          <StepLine key={step.at} step={step} query={query} rates={rates} />
        ))}
      </ol>
    </>
  )
}

function StepLine({ step, query, rates }: { step: PlacedStep; query: QueryFigures; rates: Rates }) {
  const { at, name, taken, given, late, failed, stores } = step
  const [came, went] = [rates.get(`taken ${at}`) ?? null, rates.get(`given ${at}`) ?? null]
  const own = (query.stores ?? []).filter(({ store }) => stores.includes(store))
  const rows = own.reduce((all, one) => all + one.rows, 0)
  const told = `${count(taken)} taken and ${count(given)} given since it began, ${count(late)} late, ${count(failed)} failed`
  return (
    <li data-step={name} data-taken={taken} data-given={given} data-late={late} data-failed={failed} title={`${name}: ${told}`}>
      <b>{name}</b>
      <span>
        {came === null ? count(taken) : `${rate(came)}/s`} → {went === null ? count(given) : `${rate(went)}/s`}
      </span>
      <small>
        {step.repartition !== null && <span>by new keys</span>}
        {stores.length > 0 && <span>{count(rows)} rows kept</span>}
        {late > 0 && <span class="wrong-count">{count(late)} late</span>}
        {failed > 0 && <span class="wrong-count">{count(failed)} failed</span>}
      </small>
    </li>
  )
}

/** The partitions of a topic of the graph: those between parts have the query's id before their names. */
function partitionsOf(query: QueryFigures, named: string): QueryFigures['partitions'] {
  return query.partitions.filter(({ topic }) => topic === named || (named.endsWith('-repartition') && topic.endsWith(`-${named}`)))
}

/** What is counted between a topic and a part; where it is not, nothing is said. */
function edgeTexts({ from, to }: GraphEdge, query: QueryFigures, rates: Rates): string[] {
  if (from.topic !== undefined) {
    const own = partitionsOf(query, from.topic)
    if (own.length === 0) return []
    const lags = own.map(({ lag }) => lag)
    const lag = lags.some((one) => one === null) ? null : sum(lags)
    // A rate is known once it has been looked at twice.
    const came = rates.get(`topic ${own[0]!.topic}`) ?? null
    return [...(came === null ? [] : [`${rate(came)}/s`]), `lag ${lag === null ? '–' : count(lag)}`]
  }
  if (to.topic === query.sink_topic) return [`${rate(now(query.over_time.written_per_second))}/s`]
  const writer = from.part?.steps.find(({ repartition }) => repartition === to.topic)
  const went = writer === undefined ? null : rates.get(`taken ${writer.at}`) ?? null
  return went === null ? [] : [`${rate(went)}/s`]
}

/** Over how long what comes is taken together to a rate. */
const RATE_MS = 10_000

/** What comes a second, by what it is: `taken 3`, `topic readings`. */
type Rates = Map<string, number | null>

/** How fast the counts of a query grow, from one look to another. */
function useRates(query: QueryFigures, at: number): Rates {
  const looks = useRef<{ at: number; counts: Map<string, number> }[]>([])
  return useMemo(() => {
    const counts = countsOf(query)
    looks.current = [...looks.current.filter((look) => look.at > at - RATE_MS && look.at < at), { at, counts }]
    const first = looks.current[0]!
    const seconds = (at - first.at) / 1_000
    const grown = ([of, value]: [string, number]): [string, number | null] => {
      const came = value - (first.counts.get(of) ?? value)
      return [of, seconds > 0 && came >= 0 ? came / seconds : null]
    }
    return new Map([...counts].map(grown))
  }, [query, at])
}

function countsOf({ partitions, steps }: QueryFigures): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { topic, records } of partitions) counts.set(`topic ${topic}`, (counts.get(`topic ${topic}`) ?? 0) + records)
  steps?.forEach(({ taken, given }, at) => counts.set(`taken ${at}`, taken).set(`given ${at}`, given))
  return counts
}

/** Whether there is something to read and nothing is read. */
function standsStill(query: QueryFigures): boolean {
  const read = query.over_time.read_per_second.slice(-5)
  return query.state === 'running' && (query.lag ?? 0) > 0 && read.length > 0 && read.every((value) => value === 0)
}

function tone(query: QueryFigures): string {
  if (query.state === 'failed' || query.state === 'retrying') return 'bad'
  return query.state !== 'running' || standsStill(query) ? 'warn' : ''
}

/** How the query is as a whole. */
function Standing({ query }: { query: QueryFigures }) {
  const skipped = Object.entries(query.skipped)
  const causes = skipped.map(([cause, times]) => `${cause.replaceAll('_', ' ')} ${count(times)}`).join(', ')
  const facts: [string, string][] = [
    ['Read', `${rate(now(query.over_time.read_per_second))}/s`],
    ['Written', `${rate(now(query.over_time.written_per_second))}/s`],
    ['Lag', query.lag === null ? '–' : count(query.lag)],
    ['Skipped', count(skipped.reduce((all, [, times]) => all + times, 0)) + (causes && `: ${causes}`)],
    ['Late', `${rate(now(query.over_time.late_per_second))}/s`],
    ['Rows in stores', count(query.stored_rows)],
    ['Commits', count(query.commits) + (query.commit_ms_mean === null ? '' : `, ${rate(query.commit_ms_mean)} ms each`)],
    ['Failures', count(query.failures)],
  ]
  return (
    <>
      {query.cause !== null && (
        <Notice kind="error">
          It is {query.state}: {query.cause}
        </Notice>
      )}
      {query.restoring > 0 && <Restoring restored={query.restored} restoring={query.restoring} />}
      {standsStill(query) && (
        <Notice kind="warning">It stands still: {count(query.lag ?? 0)} records wait, and none is read.</Notice>
      )}
      <Facts all={facts} isLive />
    </>
  )
}

/** How far its state is restored. */
function Restoring({ restored, restoring }: { restored: number; restoring: number }) {
  return (
    <p>
      <label>
        Its state is restored: {count(restoring)} records are left at most.{' '}
        <progress max={restored + restoring} value={restored} />
      </label>
    </p>
  )
}
