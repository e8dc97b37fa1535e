// The name of a source or a query. It is broken where its words end, if there is not room for all of it.

export function Name({ text }: { text: string }) {
  return (
    <span class="name-text">
      {text.split(/(?<=_)/).map((word, at) => (
        <>
          {at > 0 && <wbr />}
          {word}
        </>
      ))}
    </span>
  )
}
