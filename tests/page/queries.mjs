// Queries: their states, statements and plans; and how they are paused, resumed and terminated.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { until } from './world.mjs'

export async function prepare(world) {
  await world.run('produce', 'json', '--brokers', world.brokers, '--count', '200', '--seed', '7', '--rate', '0')
  await world.define('device.sql')
}

const states = async (world) => {
  const [{ queries }] = await world.statements('SHOW QUERIES;')
  return Object.fromEntries(queries.map(({ id, statusCount }) => [id, Object.keys(statusCount).join()]))
}

const find = async (world, sink) => Object.keys(await states(world)).find((id) => id.includes(sink))

export const stories = {
  async 'a query is shown with its statement, its plan and how far it is'(world) {
    const id = await find(world, 'DEVICE_SENSOR_STATS')
    const tab = await world.open(`/#/queries?query=${id}`)
    await tab.getByText('CREATE TABLE DEVICE_SENSOR_STATS').first().waitFor()
    await tab.waitForSelector('.plan li')
    const steps = await tab.$$eval('.plan b', (all) => all.map((step) => step.textContent))
    assert.deepEqual(steps, ['sink', 'project', 'aggregate', 'group by', 'project', 'source'])
    await until('all records to be committed', async () => {
      const rows = await tab.$$eval('.committed tbody tr', (all) => all.map((row) => [...row.children].map((cell) => cell.textContent)))
      const committed = rows.reduce((sum, row) => sum + Number(row[2]), 0)
      return committed === 200 && rows.length === 3 && rows.every((row) => row[4] === '0')
    })
    await world.close(tab)
  },

  async 'what it reads, does and writes is a graph with live figures'(world) {
    const id = await find(world, 'DEVICE_SENSOR_STATS')
    const tab = await world.open(`/#/queries?query=${id}`)
    await tab.waitForSelector('.flow')
    const nodes = await tab.$$eval('.flow > ul > li:not(.edge)', (all) => all.map((node) => [node.className, node.querySelector('.name-text, .part > small').textContent]))
    const between = nodes.find(([, name]) => name.endsWith('-repartition'))
    const expected = [['topic', 'device-sensors'], ['part', 'sub-topology 0'], between, ['part', 'sub-topology 1'], ['topic', 'DEVICE_SENSOR_STATS']]
    assert.deepEqual(nodes.sort(), expected.sort())
    await until('all to be read', async () => {
      const edges = await tab.$$eval('.flow .edge', (all) => all.map((edge) => [...edge.children].map((part) => part.textContent)))
      const read = edges.find((texts) => texts.length === 2)
      const others = edges.filter((texts) => texts.length === 1)
      return edges.length === 4 && read?.[1] === 'lag 0' && /^0\/s$/.test(read[0]) && others.every(([text]) => /\/s$/.test(text))
    })
    const steps = await tab.$$eval('.flow .steps > li', (all) => all.map(({ dataset }) => ({ ...dataset })))
    const [source, grouping] = ['KsqlTopic.Source', 'Aggregate.GroupBy'].map((name) => steps.find(({ step }) => step === name))
    assert.deepEqual(source, { step: 'KsqlTopic.Source', taken: '200', given: '200', late: '0', failed: '0' })
    assert.equal(grouping.taken, '200')
    const fact = (name) => tab.locator('.facts.live div', { hasText: name }).locator('dd').textContent()
    const devices = (await world.rows('SELECT * FROM device_sensor_stats;')).length
    await until('a row for each device', async () => (await fact('Rows in stores')) === String(devices))
    assert.equal(await fact('Skipped'), '0')
    const stored = await tab.$$eval('.stores data', (all) => all.map((data) => Number(data.value)))
    assert.equal(stored.reduce((sum, rows) => sum + rows, 0), devices)
    const past = tab.locator('.over-time tr', { hasText: 'Commits a second' })
    await until('commits to be seen', async () => Number(await past.locator('td').nth(1).textContent()) > 0)
    await tab.getByRole('button', { name: 'Pause', exact: true }).click()
    await tab.getByRole('dialog').getByRole('button', { name: 'Pause' }).click()
    await tab.waitForSelector('.flow.warn')
    await tab.getByRole('button', { name: 'Resume', exact: true }).click()
    await tab.getByRole('dialog').getByRole('button', { name: 'Resume' }).click()
    await tab.waitForSelector('.flow:not(.warn)')
    await tab.locator('.flow a', { hasText: 'device-sensors' }).click()
    await tab.getByRole('heading', { name: 'device-sensors', exact: true }).waitFor()
    await world.close(tab)
  },

  async 'records that it skips are counted by cause'(world) {
    await world.statements(`CREATE STREAM wrong (device INT) WITH (KAFKA_TOPIC='device-sensors', VALUE_FORMAT='JSON');
      CREATE STREAM never AS SELECT * FROM wrong;`)
    const tab = await world.open(`/#/queries?query=${await find(world, 'NEVER')}`)
    await tab.getByText('200: undecodable value 200', { exact: true }).waitFor()
    await world.close(tab)
  },

  async 'it is paused, resumed and terminated once that is confirmed'(world) {
    const id = await find(world, 'MOVEMENT_ALERTS')
    const tab = await world.open(`/#/queries?query=${id}`)
    const press = (name) => tab.getByRole('button', { name, exact: true })
    await press('Pause').click()
    await world.accessible(tab, 'a question')
    await world.picture(tab, 'confirm-1440-light')
    await press('Cancel').click()
    assert.equal((await states(world))[id], 'RUNNING')
    await press('Pause').click()
    await tab.getByRole('dialog').getByRole('button', { name: 'Pause' }).click()
    await until('it to be paused', async () => (await states(world))[id] === 'PAUSED')
    await press('Resume').click()
    await tab.getByRole('dialog').getByRole('button', { name: 'Resume' }).click()
    await until('it to run', async () => (await states(world))[id] === 'RUNNING')
    await press('Terminate').click()
    await tab.getByRole('dialog').waitFor()
    await tab.keyboard.press('Escape')
    await tab.getByRole('dialog').waitFor({ state: 'detached' })
    assert.ok(id in (await states(world)))
    await press('Terminate').click()
    await tab.getByRole('dialog').getByRole('button', { name: 'Terminate' }).click()
    await until('it to be gone', async () => !(id in (await states(world))))
    await tab.getByText(`There is no query ${id}`).waitFor()
    // It may have been asked for while it went.
    await world.close(tab, /status of 400/)
  },

  async 'a server that runs files says that it only reads'(world) {
    const service = ['--property', 'ksql.service.id=files_', '--property', 'auto.offset.reset=earliest']
    const run = world.spawn('run', join(world.sql, 'transitions.sql'), '--bootstrap-servers', world.brokers, '--rest-port', '0', ...service)
    const url = await run.says(/listening on (http[0-9.:/]+[0-9])/)
    const tab = await world.open('/', { url })
    await tab.waitForFunction(() => document.querySelector('.readings')?.value === '200')
    await tab.getByRole('link', { name: 'Queries' }).click()
    await tab.getByRole('button', { name: 'Pause', exact: true }).click()
    await tab.getByRole('dialog').getByRole('button', { name: 'Pause' }).click()
    await tab.getByText(/cannot be paused: This server runs the statements of its files and only reads/).waitFor()
    await world.close(tab, /status of 403/)
    await run.stop()
  },

  async 'what a slow server answers is shown'(world) {
    const tab = await world.open('/#/editor')
    // Each answer takes longer than it is until the next is asked for.
    await tab.route('**/ksql', async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 2_500))
      await route.continue().catch(() => undefined)
    })
    await tab.getByRole('link', { name: 'Queries' }).click()
    await tab.waitForSelector('.plan li')
    await tab.unrouteAll({ behavior: 'ignoreErrors' })
    await world.close(tab)
  },

  async 'a server that does not know the address for its own says so, until it is told'(world) {
    const serve = async (port, ...more) => {
      const properties = ['ksql.service.id=named_', ...more].flatMap((one) => ['--property', one])
      const server = world.spawn('server', '--bootstrap-servers', world.brokers, '--listeners', `http://0.0.0.0:${port}`, ...properties)
      return { server, port: await server.says(/listening on http:[^ ]*:([0-9]+)/) }
    }
    const { server, port } = await serve(0)
    const url = `http://page.localhost:${port}`
    const tab = await world.open('/#/queries', { url })
    await tab.getByText(`Start it with access.control.allow.origin=${url}`).waitFor()
    await tab.locator('.pill.refused').waitFor()
    await server.stop()
    await tab.getByText(/The server is away since/).waitFor()
    const told = await serve(port, `access.control.allow.origin=${url}`)
    await tab.getByText('No query runs').waitFor()
    await tab.locator('.top .pill.here').waitFor()
    await world.close(tab, /ERR_|status of 403/)
    await told.server.stop()
  },

  async looks(world) {
    const id = await find(world, 'DEVICE_SENSOR_STATS')
    await world.looks(`/#/queries?query=${id}`, 'queries', (tab) => tab.waitForSelector('.plan li'))
  },
}
