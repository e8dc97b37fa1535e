// The parts of a query, as `EXPLAIN` tells its topology, and where they stand beside one another.

/** A part that runs by itself: between topics, which all records between parts go through. */
export interface SubTopology {
  id: string
  reads: string[]
  writes: string[]
  /** What it does, in the words of the topology. */
  steps: string[]
  stores: string[]
}

const PART = /^\s*Sub-topology: (\d+)/
const NODE = /^\s*(Source|Processor|Sink): (\S+) \((topics|topic|stores): \[?(.*?)\]?\)$/

export function subTopologies(text: string): SubTopology[] {
  const all: SubTopology[] = []
  for (const line of text.split('\n')) {
    const [, id] = PART.exec(line) ?? []
    if (id !== undefined) all.push({ id, reads: [], writes: [], steps: [], stores: [] })
    const part = all.at(-1)
    const [, kind, name, , list] = NODE.exec(line) ?? []
    if (!part || name === undefined) continue
    const named = list!.split(', ').filter((one) => one !== '')
    if (kind === 'Source') part.reads.push(...named)
    else if (kind === 'Sink') part.writes.push(...named)
    else {
      part.steps.push(name.replace(/^K(STREAM|TABLE)-/, '').replace(/-\d{10}$/, '').replaceAll('-', ' ').toLowerCase())
      part.stores.push(...named.filter((store) => !part.stores.includes(store)))
    }
  }
  return all
}

export interface GraphNode {
  key: string
  topic?: string
  part?: SubTopology
  /** How many nodes come before it, and which one it is of those that stand beside it. */
  level: number
  place: number
}

export interface GraphEdge {
  from: GraphNode
  to: GraphNode
}

export interface Graph {
  nodes: GraphNode[]
  edges: GraphEdge[]
  levels: number
  /** How many stand beside one another at most. */
  places: number
}

/** Topics and parts, each behind all that comes before it. */
export function graph(parts: SubTopology[]): Graph {
  const nodes = new Map<string, GraphNode>()
  const node = (key: string, of: { topic?: string; part?: SubTopology }) => {
    const found = nodes.get(key) ?? { key, level: 0, place: 0, ...of }
    nodes.set(key, found)
    return found
  }
  const edges = parts.flatMap((part) => {
    const own = node(`part ${part.id}`, { part })
    const topic = (name: string) => node(`topic ${name}`, { topic: name })
    const read = part.reads.map((name) => ({ from: topic(name), to: own }))
    return [...read, ...part.writes.map((name) => ({ from: own, to: topic(name) }))]
  })
  // A query may write what it reads: then this ends all the same.
  for (let round = 0; round < nodes.size; round++) {
    for (const { from, to } of edges) if (to.level <= from.level && from.level + 1 < nodes.size) to.level = from.level + 1
  }
  const counts: number[] = []
  for (const one of nodes.values()) {
    one.place = counts[one.level] ?? 0
    counts[one.level] = one.place + 1
  }
  return { nodes: [...nodes.values()], edges, levels: counts.length, places: Math.max(0, ...counts) }
}
