// Makes the files that the server has in it: `node build.mjs OUT`. The same source gives the same bytes.
import { build } from 'esbuild'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'

const out = process.argv[2]
await rm(out, { recursive: true, force: true })
await mkdir(out, { recursive: true })

const { metafile } = await build({
  entryPoints: ['src/main.tsx'],
  bundle: true,
  format: 'iife',
  target: 'es2022',
  minify: true,
  metafile: true,
  legalComments: 'none',
  loader: { '.svg': 'file' },
  entryNames: 'page-[hash]',
  assetNames: '[name]-[hash]',
  publicPath: '/page/',
  outdir: out,
})

// Names with digests may be kept for ever; the one file without says which they are.
const made = Object.keys(metafile.outputs).map((path) => basename(path))
const named = (end) => {
  const found = made.filter((name) => name.endsWith(end))
  if (found.length !== 1) throw new Error(`expected one file *${end}, found ${found.join(', ') || 'none'}`)
  return found[0]
}
const index = await readFile('src/index.html', 'utf8')
await writeFile(
  `${out}/index.html`,
  index.replace('page.js', named('.js')).replace('page.css', named('.css')).replace('icon.svg', named('.svg')),
)
