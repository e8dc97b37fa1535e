// The parts of a query with their steps, and where they stand beside the topics that they read and write.

import type { Step } from '../figures.js'

/** A step, and its place among those of its query. */
export type PlacedStep = Step & { at: number }

/** A part that runs by itself: rows come to it from topics, or with new keys from another part. */
export interface SubTopology {
  id: number
  reads: string[]
  writes: string[]
  steps: PlacedStep[]
}

/** The parts of a query that writes to a sink. */
export function subTopologies(steps: Step[], sinkTopic: string | null): SubTopology[] {
  const all = new Map<number, SubTopology>()
  const read = new Set(steps.flatMap(({ inputs }) => inputs))
  steps.forEach((step, at) => {
    const part = all.get(step.part) ?? { id: step.part, reads: [], writes: [], steps: [] }
    all.set(step.part, part)
    part.steps.push({ ...step, at })
    if (step.topic !== null && !part.reads.includes(step.topic)) part.reads.push(step.topic)
    if (step.repartition !== null) part.writes.push(step.repartition)
    else if (!read.has(at) && sinkTopic !== null) part.writes.push(sinkTopic)
    for (const input of step.inputs) {
      const between = steps[input]?.repartition
      if (between && !part.reads.includes(between)) part.reads.push(between)
    }
  })
  return [...all.values()]
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
  return { nodes: [...nodes.values()], edges }
}

/** Sizes in pixels: of topics and parts, and what is between nodes, along the way of records and across it. */
export interface Sizes {
  topic: number
  part: number
  along: number
  across: number
  /** How high a topic is, and a part besides its steps, and each of these. */
  topicHeight: number
  partHeight: number
  stepHeight: number
}

export interface Box {
  left: number
  top: number
  width: number
  height: number
}

/** Where the nodes of a graph stand: level behind level, from left to right or downwards, each level in the middle. */
export function layOut({ nodes }: Graph, sizes: Sizes, isDownwards: boolean): { boxes: Map<string, Box>; width: number; height: number } {
  const size = ({ part }: GraphNode) =>
    part ? [sizes.part, sizes.partHeight + sizes.stepHeight * part.steps.length] : [sizes.topic, sizes.topicHeight]
  // What follows is in terms of a way from left to right.
  const turned = ([width, height]: number[]) => (isDownwards ? [height!, width!] : [width!, height!])
  const levels: GraphNode[][] = []
  for (const node of nodes) (levels[node.level] ??= [])[node.place] = node
  const extents = levels.map((level) => level.reduce((all, node) => all + turned(size(node))[1]! + sizes.across, -sizes.across))
  const side = Math.max(0, ...extents)
  const boxes = new Map<string, Box>()
  let main = 0
  levels.forEach((level, at) => {
    const deep = Math.max(...level.map((node) => turned(size(node))[0]!))
    let beside = (side - extents[at]!) / 2
    for (const node of level) {
      const [along, across] = turned(size(node))
      const [x, y] = turned([main + (deep - along!) / 2, beside])
      const [width, height] = size(node)
      boxes.set(node.key, { left: x!, top: y!, width: width!, height: height! })
      beside += across! + sizes.across
    }
    main += deep + sizes.along
  })
  const [width, height] = turned([Math.max(0, main - sizes.along), side])
  return { boxes, width: width!, height: height! }
}
