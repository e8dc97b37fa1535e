// The words of SQL, as far as colours and completion need them.

export type Kind = 'comment' | 'string' | 'name' | 'number' | 'keyword' | 'function' | 'word' | 'sign' | 'space'

export interface Token {
  kind: Kind
  text: string
  /** Where it begins, in characters. */
  at: number
}

export const KEYWORDS = new Set(
  `ADD ADVANCE ALL ALTER AND ARRAY AS ASSERT AT BEGINNING BETWEEN BY CASE CAST CHANGES COLUMN CONNECTOR CONNECTORS CREATE
  CURRENT DAY DAYS DEFINE DELETE DESCRIBE DROP ELSE EMIT END ESCAPE EXISTS EXPLAIN EXTENDED FALSE FINAL FOLLOWING FROM FULL
  FUNCTION FUNCTIONS GRACE GROUP HAVING HEADER HEADERS HOPPING HOUR HOURS IF IN INNER INSERT INTO IS JOIN KEY LATERAL LEFT
  LIKE LIMIT LIST MAP MILLISECOND MILLISECONDS MINUTE MINUTES NOT NULL ON OR ORDER OUTER OVER PARTITION PARTITIONS PAUSE
  PERIOD PRECEDING PRIMARY PRINT PROPERTIES QUERIES REPLACE RESUME RETENTION RIGHT ROW ROWS SECOND SECONDS SELECT SESSION
  SET SHOW SIZE SOURCE STREAM STREAMS STRUCT TABLE TABLES TERMINATE THEN TIMESTAMP TOPIC TOPICS TRUE TUMBLING TYPE TYPES
  UNBOUNDED UNDEFINE UNSET VALUES VARIABLES WHEN WHERE WINDOW WITH WITHIN
  BIGINT BOOLEAN BYTES DATE DECIMAL DOUBLE INT INTEGER STRING TIME VARCHAR`.split(/\s+/),
)

const PATTERN =
  /(?<comment>--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|(?<string>'(?:[^']|'')*'?)|(?<name>`[^`]*`?|"[^"]*"?)|(?<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?<word>[A-Za-z_@$][\w@$]*)|(?<space>\s+)|(?<sign>[\s\S])/g

export function tokens(text: string): Token[] {
  const found: Token[] = []
  for (const match of text.matchAll(PATTERN)) {
    const [kind] = Object.entries(match.groups!).find(([, value]) => value !== undefined)!
    found.push({ kind: kind as Kind, text: match[0], at: match.index })
  }
  found.forEach((token, at) => {
    if (token.kind !== 'word') return
    if (KEYWORDS.has(token.text.toUpperCase())) token.kind = 'keyword'
    else if (found[at + 1]?.text === '(') token.kind = 'function'
  })
  return found
}

/** A statement, and where it begins. */
export interface Statement {
  text: string
  at: number
}

/** The statements of a text, without what is said about them. */
export function statements(text: string): Statement[] {
  const found: Statement[] = []
  let start: number | undefined
  let end = 0
  for (const token of tokens(text)) {
    if (token.kind === 'space' || token.kind === 'comment') continue
    start ??= token.at
    end = token.at + token.text.length
    if (token.kind === 'sign' && token.text === ';') {
      if (end - start > 1) found.push({ text: text.slice(start, end), at: start })
      start = undefined
    }
  }
  if (start !== undefined) found.push({ text: `${text.slice(start, end)};`, at: start })
  return found
}
