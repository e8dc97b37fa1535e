// What a query reads, does and writes, as a graph, with what is counted of it now.

import { useMemo, useRef } from 'preact/hooks'
import { now, sum, type Figures, type QueryFigures } from '../figures.js'
import { Facts } from '../parts/facts'
import { useIsNarrow } from '../parts/narrow.js'
import { Name } from '../parts/name.js'
import { Notice } from '../parts/notice.js'
import { href } from '../route.js'
import { count, rate } from '../sql.js'
import { graph, subTopologies, type GraphEdge, type GraphNode } from './topology.js'

/** Sizes in pixels: of a node, and what is between nodes, along the way of records and across it. */
const WIDE = { width: 150, height: 104, along: 66, across: 18 }
const NARROW = { width: 146, height: 104, along: 52, across: 12 }

interface FlowProps {
  topology: string
  query: QueryFigures
  figures: Figures
}

export function Flow({ topology, query, figures }: FlowProps) {
  const isNarrow = useIsNarrow()
  const { nodes, edges, levels, places } = useMemo(() => graph(subTopologies(topology)), [topology])
  const rates = useReadRates(query, figures.at)
  if (nodes.length === 0) return null
  const size = isNarrow ? NARROW : WIDE
  const across = (isNarrow ? size.width : size.height) + size.across
  const along = (isNarrow ? size.height : size.width) + size.along
  const corner = ({ level, place }: GraphNode) => {
    const [main, side] = [level * along, place * across]
    return isNarrow ? { left: side, top: main } : { left: main, top: side }
  }
  const extent = { main: levels * along - size.along, side: places * across - size.across }
  const [width, height] = isNarrow ? [extent.side, extent.main] : [extent.main, extent.side]
  const ends = ({ from, to }: GraphEdge) => {
    const [a, b] = [corner(from), corner(to)]
    return isNarrow
      ? { x1: a.left + size.width / 2, y1: a.top + size.height, x2: b.left + size.width / 2, y2: b.top }
      : { x1: a.left + size.width, y1: a.top + size.height / 2, x2: b.left, y2: b.top + size.height / 2 }
  }
  const px = (of: { left: number; top: number }) => ({ left: `${of.left}px`, top: `${of.top}px` })
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
            {edges.map((edge) => {
              const { x1, y1, x2, y2 } = ends(edge)
              const bend = isNarrow ? `${x1} ${(y1 + y2) / 2}, ${x2} ${(y1 + y2) / 2}` : `${(x1 + x2) / 2} ${y1}, ${(x1 + x2) / 2} ${y2}`
              return <path key={`${edge.from.key} ${edge.to.key}`} class="way" d={`M ${x1} ${y1} C ${bend}, ${x2} ${y2}`} marker-end="url(#flow-end)" />
            })}
          </svg>
          <ul>
            {nodes.map((node) => (
              <li key={node.key} class={node.topic === undefined ? 'part' : 'topic'} style={px(corner(node))}>
                <Node node={node} isKnown={figures.topics.some(({ name }) => name === node.topic)} />
              </li>
            ))}
            {edges.map((edge) => {
              const { x1, y1, x2, y2 } = ends(edge)
              const texts = edgeTexts(edge, query, rates)
              return (
                <li key={`${edge.from.key} ${edge.to.key}`} class="edge" style={px({ left: (x1 + x2) / 2, top: (y1 + y2) / 2 })}>
                  {texts.map((text) => (
                    <span key={text}>{text}</span>
                  ))}
                </li>
              )
            })}
          </ul>
        </div>
      </div>
      <p class="muted">Figures stand where they are counted: what is read at its topic, what is written at the end, and above what is of the whole query.</p>
    </section>
  )
}

function Node({ node: { topic, part }, isKnown }: { node: GraphNode; isKnown: boolean }) {
  if (topic !== undefined) {
    return (
      <>
        <small>topic</small>
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
  const { id, steps, stores } = part!
  return (
    <>
      <small>sub-topology {id}</small>
      <b title={steps.join(' → ')}>{steps.join(' → ')}</b>
      {stores.length > 0 && <small title={stores.join(', ')}>{stores.length === 1 ? `store ${stores[0]}` : `${stores.length} stores`}</small>}
    </>
  )
}

/** Whether a topic of the topology is one of Kafka: those between parts have the query's id before their names. */
function isTopic(inKafka: string, named: string): boolean {
  return inKafka === named || (named.endsWith('-repartition') && inKafka.endsWith(`-${named}`))
}

/** What is counted between a topic and a part; where it is not, nothing is said. */
function edgeTexts({ from, to }: GraphEdge, query: QueryFigures, rates: Map<string, number | null>): string[] {
  if (from.topic !== undefined) {
    const own = query.partitions.filter(({ topic }) => isTopic(topic, from.topic!))
    if (own.length === 0) return []
    const lags = own.map(({ lag }) => lag)
    const lag = lags.some((one) => one === null) ? null : sum(lags)
    // A rate is known once it has been looked at twice.
    const came = rates.get(own[0]!.topic) ?? null
    return [...(came === null ? [] : [`${rate(came)}/s`]), `lag ${lag === null ? '–' : count(lag)}`]
  }
  return to.topic === query.sink_topic ? [`${rate(now(query.over_time.written_per_second))}/s`] : []
}

/** How far back readings are compared, so that rates can be read. */
const COMPARED_MS = 10_000

/** What is read of each topic a second: by how much its count has grown while this is looked at. */
function useReadRates(query: QueryFigures, at: number): Map<string, number | null> {
  const kept = useRef<{ at: number; counts: Map<string, number> }[]>([])
  return useMemo(() => {
    const counts = new Map<string, number>()
    for (const { topic, records } of query.partitions) counts.set(topic, (counts.get(topic) ?? 0) + records)
    kept.current = [...kept.current.filter((one) => one.at > at - COMPARED_MS && one.at < at), { at, counts }]
    const first = kept.current[0]!
    const seconds = (at - first.at) / 1000
    const grown = ([topic, records]: [string, number]): [string, number | null] => {
      const came = records - (first.counts.get(topic) ?? records)
      // A query that begins anew counts anew.
      return [topic, seconds > 0 && came >= 0 ? came / seconds : null]
    }
    return new Map([...counts].map(grown))
  }, [query, at])
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
    ['Failures', count(query.failures)],
  ]
  return (
    <>
      {query.cause !== null && (
        <Notice kind="error">
          It is {query.state}: {query.cause}
        </Notice>
      )}
      {standsStill(query) && (
        <Notice kind="warning">It stands still: {count(query.lag ?? 0)} records wait, and none is read.</Notice>
      )}
      <Facts all={facts} isLive />
    </>
  )
}
