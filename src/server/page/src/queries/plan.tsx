// The steps of a plan, as `EXPLAIN` tells them: a line each, deeper ones further in, the sink first.

interface Step {
  name: string
  schema: string
  depth: number
}

const LINE = /^(\s*)> \[ (\w+) \] \| Schema: (.*?)(?: \| Logger: .*)?$/

function steps(text: string): Step[] {
  return text.split('\n').flatMap((line) => {
    const [, indent = '', name, schema] = LINE.exec(line) ?? []
    return name === undefined ? [] : [{ name, schema: schema ?? '', depth: indent.replaceAll(/[^\t]/g, '').length }]
  })
}

export function Plan({ text }: { text: string }) {
  const all = steps(text)
  const depths = [...new Set(all.map(({ depth }) => depth))].sort((a, b) => a - b)
  // What it reads is read first.
  return (
    <ol class="plan">
      {all.map(({ name, schema, depth }, at) => (
        <li key={at} style={{ marginLeft: `${depths.indexOf(depth) * 14}px` }}>
          <b>{name.toLowerCase().replaceAll('_', ' ')}</b>
          <code>{schema}</code>
        </li>
      ))}
    </ol>
  )
}
