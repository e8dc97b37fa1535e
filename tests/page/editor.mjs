// Statements that are written and run.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { until } from './world.mjs'

export async function prepare(world) {
  await world.statements(`CREATE STREAM clicks (id STRING KEY, page STRING, n BIGINT, r DOUBLE)
    WITH (KAFKA_TOPIC='clicks', VALUE_FORMAT='JSON', PARTITIONS=1);`)
  await world.statements(`INSERT INTO clicks VALUES ('a', '/x', 9007199254740993, 1.0);
    INSERT INTO clicks VALUES ('b', 'say "hi", all', NULL, 1E10);`)
}

async function open(world, text) {
  const tab = await world.open('/#/editor')
  await write(tab, text)
  return tab
}

async function write(tab, text) {
  await tab.getByLabel('SQL', { exact: true }).fill(text)
}

const run = (tab) => tab.getByRole('button', { name: 'Run' }).click()

const offers = (tab) => tab.getByRole('listbox', { name: 'Completions' }).getByRole('option')

const grid = (tab) =>
  tab.$$eval('.grid .body [role=row]', (rows) => rows.map((row) => [...row.querySelectorAll('[role=cell]')].map((cell) => cell.textContent)))

async function saved(tab, name) {
  const [download] = await Promise.all([tab.waitForEvent('download'), tab.getByRole('button', { name, exact: true }).click()])
  return readFile(await download.path(), 'utf8')
}

export const stories = {
  async 'rows of a query are shown and saved with all of their digits'(world) {
    const tab = await open(world, "SET 'auto.offset.reset'='earliest';\nSELECT * FROM clicks;")
    await run(tab)
    await tab.getByText('Query Completed').waitFor()
    assert.deepEqual(await grid(tab), [['a', '/x', '9007199254740993', '1.0'], ['b', 'say "hi", all', 'null', '1.0E10']])
    assert.equal(await saved(tab, 'CSV'), 'ID,PAGE,N,R\r\na,/x,9007199254740993,1.0\r\nb,"say ""hi"", all",,1.0E10\r\n')
    const json = await saved(tab, 'JSON')
    assert.match(json, /"N":9007199254740993,"R":1\.0/)
    assert.deepEqual(JSON.parse(json)[1], { ID: 'b', PAGE: 'say "hi", all', N: null, R: 1e10 })
    await world.close(tab)
  },

  async 'a push query goes on until it is stopped, and keeps the newest rows'(world) {
    const tab = await open(world, 'SELECT id, n FROM clicks EMIT CHANGES;')
    await tab.getByLabel('Queries begin').selectOption('earliest')
    await tab.getByLabel('SQL', { exact: true }).press('Control+Enter')
    await until('both rows, the newest first', async () => String(await grid(tab)) === 'b,null,a,9007199254740993')
    await world.statements("INSERT INTO clicks VALUES ('c', '/y', 3, 0.5);")
    await until('the next one', async () => (await grid(tab))[0]?.[0] === 'c')
    await tab.getByRole('button', { name: 'Stop' }).click()
    await tab.getByText('Stopped').waitFor()
    await world.close(tab)
  },

  async 'records of a topic are printed'(world) {
    const tab = await open(world, 'PRINT clicks FROM BEGINNING LIMIT 2;')
    await run(tab)
    await until('two records', async () => (await grid(tab)).length === 2)
    assert.match((await grid(tab))[1][0], /^rowtime: .*, key: a, value: \{"PAGE":"\/x"/)
    await world.close(tab)
  },

  async 'an error is shown at its place, with what helps'(world) {
    const tab = await open(world, '-- größe\nSELECT id, pgae FROM clicks EMIT CHANGES;')
    await run(tab)
    await tab.getByRole('alert').waitFor()
    const wrong = await tab.$$eval('.code .wrong', (all) => all.map((span) => span.textContent))
    assert.deepEqual(wrong, ['pgae'])
    assert.match(await tab.getByRole('alert').textContent(), /Line: 2, Col: 12: .*'PGAE' cannot be resolved/)
    await world.accessible(tab, 'an error')
    await world.picture(tab, 'error-1440-light')
    await write(tab, 'SELECT id, page FROM clicks EMIT CHANGES;')
    assert.equal(await tab.locator('.code .wrong').count(), 0)
    // The browser notes each answer that is no success.
    await world.close(tab, /status of 400/)
  },

  async 'words are completed from what the server has'(world) {
    const tab = await open(world, '')
    const area = tab.getByLabel('SQL', { exact: true })
    await until('what the server has', async () => {
      await write(tab, '')
      await area.pressSequentially('SELECT pag')
      await area.press('Control+Space')
      await area.press('Escape')
      await write(tab, '')
      await area.pressSequentially('SELECT * FROM cli')
      return (await offers(tab).count()) > 0
    })
    assert.match((await offers(tab).allTextContents())[0], /^CLICKS/)
    await world.accessible(tab, 'completions')
    await world.picture(tab, 'completions-1440-light')
    await area.press('Enter')
    assert.equal(await area.inputValue(), 'SELECT * FROM CLICKS')
    await area.pressSequentially(' WHERE pa')
    await offers(tab).first().waitFor()
    assert.match((await offers(tab).allTextContents())[0], /^PAGE/)
    await area.press('Tab')
    assert.equal(await area.inputValue(), 'SELECT * FROM CLICKS WHERE PAGE')
    await world.close(tab)
  },

  async 'what is set holds from its statement on, and the choice beside the button for queries alone'(world) {
    const tab = await open(world, '')
    const sent = []
    tab.on('request', (request) => {
      const { pathname } = new URL(request.url())
      if (['/ksql', '/query-stream'].includes(pathname) && request.method() === 'POST') sent.push({ pathname, ...request.postDataJSON() })
    })
    await write(tab, `CREATE STREAM late_clicks AS SELECT * FROM clicks;
      SET 'auto.offset.reset'='earliest';
      CREATE STREAM all_clicks AS SELECT * FROM clicks;
      SELECT id FROM all_clicks EMIT CHANGES LIMIT 2;`)
    await run(tab)
    await until('the records of the second stream', async () => (await grid(tab)).length === 2)
    const made = sent.filter(({ ksql, sql }) => /_clicks/.test(ksql ?? sql))
    const properties = made.map(({ streamsProperties, properties }) => streamsProperties ?? properties)
    assert.deepEqual(properties, [{}, { 'auto.offset.reset': 'earliest' }])
    // What came before it was made is in none but the second.
    await world.statements("INSERT INTO clicks (id, page) VALUES ('z', '/last');")
    await write(tab, "SET 'auto.offset.reset'='earliest'; SELECT id FROM late_clicks EMIT CHANGES LIMIT 1;")
    await run(tab)
    await until('what came since', async () => String(await grid(tab)) === 'z')
    await world.close(tab)
  },

  async 'statements are answered, and found again in the history'(world) {
    const tab = await open(world, "CREATE STREAM made (id STRING KEY) WITH (KAFKA_TOPIC='made', VALUE_FORMAT='JSON', PARTITIONS=1); SHOW STREAMS;")
    await run(tab)
    await tab.getByText('Stream created').waitFor()
    await until('the list of streams', async () => (await grid(tab)).some((row) => row.includes('MADE')))
    await tab.getByText('History').click()
    await tab.getByRole('button', { name: /CREATE STREAM made/ }).waitFor()
    await world.accessible(tab, 'the history')
    await world.close(tab)
  },

  async looks(world) {
    await world.looks('/#/editor', 'editor', async (tab) => {
      await write(tab, "-- The newest clicks\nSET 'auto.offset.reset'='earliest';\nSELECT id, UCASE(page) AS page, n + 1 AS next FROM clicks\nWHERE r > 0.1 EMIT CHANGES LIMIT 2;")
      await run(tab)
      await until('rows', async () => (await grid(tab)).length === 2)
    })
  },
}
