/** Names and what stands for them, side by side. */
export function Facts({ all, isLive = false }: { all: [string, string][]; isLive?: boolean }) {
  return (
    <dl class={isLive ? 'facts live' : 'facts'}>
      {all.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
