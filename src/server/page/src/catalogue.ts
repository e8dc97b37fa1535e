// The sources that the server has, with their columns.

import { statements, type Entity } from './server.js'

export interface Schema {
  type: string
  fields: Field[] | null
  memberSchema: Schema | null
}

export interface Field {
  name: string
  schema: Schema
  type?: 'KEY' | 'HEADER'
}

export interface RunningQuery {
  id: string
  queryString: string
  sinks: string[]
  sinkKafkaTopics: string[]
  queryType: 'PERSISTENT' | 'PUSH'
  state: string
  statusCount: Record<string, number>
}

/** What a query does on the servers that run it; `state` alone does not say that it is paused. */
export function stateOf({ state, statusCount }: RunningQuery): string {
  const all = Object.keys(statusCount ?? {})
  return all.length === 0 ? state : all.sort().join(', ')
}

export interface Offsets {
  partition: number
  logStartOffset: number
  logEndOffset: number
  consumerOffset: number
}

export interface Source {
  name: string
  type: 'STREAM' | 'TABLE'
  windowType: string | null
  fields: Field[]
  topic: string
  keyFormat: string
  valueFormat: string
  partitions: number
  replication: number
  timestamp: string
  statement: string
  readQueries: RunningQuery[]
  writeQueries: RunningQuery[]
  sourceConstraints: string[]
  queryOffsetSummaries: { groupId: string; topicSummaries: { kafkaTopic: string; offsets: Offsets[] }[] }[]
}

/** All streams and tables, by name. */
export async function sources(): Promise<Source[]> {
  const answers = await statements('LIST STREAMS EXTENDED; LIST TABLES EXTENDED;')
  const all = answers.flatMap((answer: Entity) => (answer['sourceDescriptions'] ?? []) as Source[])
  return all.sort((a, b) => a.name.localeCompare(b.name))
}

/** How many records a topic holds, where a query that reads it tells. */
export function recordsOf(topic: string, all: Source[]): number | undefined {
  for (const { queryOffsetSummaries } of all) {
    for (const { topicSummaries } of queryOffsetSummaries) {
      const found = topicSummaries.find((summary) => summary.kafkaTopic === topic)
      if (found) return found.offsets.reduce((sum, at) => sum + at.logEndOffset - at.logStartOffset, 0)
    }
  }
  return undefined
}

/** A type as SQL writes it. */
export function typeText({ type, fields, memberSchema }: Schema): string {
  if (fields) return `STRUCT<${fields.map((field) => `${field.name} ${typeText(field.schema)}`).join(', ')}>`
  if (memberSchema) return type === 'MAP' ? `MAP<STRING, ${typeText(memberSchema)}>` : `${type}<${typeText(memberSchema)}>`
  return type
}
