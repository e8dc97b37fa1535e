// The devices of a stream, held against what `millstream consume` says of the same readings.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from './world.mjs'

const READINGS = 1_000

/** A thousand readings, the queries of `ksql/` over them, and what consume makes of them. */
export async function prepare(world) {
  await world.run('produce', 'json', '--brokers', world.brokers, '--count', String(READINGS), '--seed', '7', '--rate', '0')
  await world.define('device.sql')
  await world.define('transitions.sql')
  return { reports: await consumed(world), ...(await happened(world)) }
}

/** The last report of each device, once consume has had all readings. */
async function consumed(world) {
  const consume = world.spawn('consume', 'json', '--brokers', world.brokers, '--every', '0.2', '--group', `page-${Date.now()}`)
  const reports = new Map()
  await until('reports of all readings', () => {
    for (const line of consume.text.split('\n').slice(0, -1)) {
      if (!line.startsWith('{')) continue
      const report = JSON.parse(line)
      reports.set(report.device, report)
    }
    return [...reports.values()].reduce((sum, { total }) => sum + total, 0) === READINGS
  })
  await consume.stop('SIGINT')
  return reports
}

/** How many alerts and transitions there are, once there are no more. */
async function happened(world) {
  let before = ''
  return until('alerts and transitions to come to rest', async () => {
    const alerts = (await world.rows('SELECT * FROM movement_alerts;')).length
    const transitions = (await world.rows('SELECT * FROM activity_transitions;')).length
    const now = `${alerts} ${transitions}`
    const rests = now === before && alerts > 0 && transitions > 0
    before = now
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    return rests && { alerts, transitions }
  })
}

const address = (query = '') => `/#/devices?from=earliest&stream=DEVICE_READINGS${query}`

async function ready(tab) {
  await tab.waitForFunction((all) => Number(document.querySelector('.readings')?.value) === all, READINGS)
  await tab.waitForFunction(() => document.querySelectorAll('.row').length > 0)
}

const values = (tab, selector) => tab.$$eval(selector, (found) => found.map((data) => Number(data.value)))
const texts = (tab, selector) => tab.$$eval(selector, (found) => found.map((element) => element.textContent.trim()))

function close(shown, expected, what) {
  const isClose = Math.abs(shown - expected) <= 1e-9 * Math.max(1, Math.abs(expected))
  assert.ok(isClose, `${what}: ${shown} is shown, and consume says ${expected}`)
}

/** The figures of the rows that are drawn, by device. */
const figures = (tab) =>
  tab.$$eval('.row', (rows) =>
    rows.map((row) => {
      const value = (within, name) => Number(within.querySelector(`data.${name}`).value)
      const axes = [...row.querySelectorAll('[data-axis]')].map((axis) => [
        axis.dataset.axis,
        { mean: value(axis, 'mean'), std: value(axis, 'deviation'), min: value(axis, 'min'), max: value(axis, 'max') },
      ])
      return {
        device: row.querySelector('.name a').textContent,
        total: Number(row.querySelector('.total data').value),
        axes: Object.fromEntries(axes),
      }
    }),
  )

export const stories = {
  async 'figures are those of consume'(world, { reports }) {
    const tab = await world.open(address())
    await ready(tab)
    const found = await scrolled(tab, reports.size)
    assert.deepEqual([...found.keys()].sort(), [...reports.keys()].sort())
    for (const [device, { total, axes }] of found) {
      const report = reports.get(device)
      assert.equal(total, report.total, `${device} readings`)
      for (const axis of ['x', 'y', 'z']) {
        for (const figure of ['mean', 'std', 'min', 'max']) {
          close(axes[axis][figure], report[axis][figure], `${device} ${axis} ${figure}`)
        }
      }
    }
    await world.close(tab)
  },

  async 'counts by activity, alerts and transitions are those of the topics'(world, { reports, alerts, transitions }) {
    const tab = await world.open(address())
    await ready(tab)
    const expected = {}
    for (const { activities } of reports.values()) {
      for (const [name, count] of Object.entries(activities)) expected[name] = (expected[name] ?? 0) + count
    }
    const names = await texts(tab, '.summary .counts .activity')
    const counts = await values(tab, '.summary .counts data')
    assert.deepEqual(Object.fromEntries(names.map((name, at) => [name, counts[at]])), expected)
    const totals = () => values(tab, '.feed h2 data')
    await until('all alerts and transitions', async () => String(await totals()) === String([alerts, transitions]), () => `${alerts} ${transitions}`)
    await world.close(tab)
  },

  async 'transitions are found in the readings where no stream has them'(world, { transitions }) {
    const tab = await world.open(address('&transitions=&alerts='))
    await ready(tab)
    await until('all transitions', async () => String(await values(tab, '.feed h2 data')) === String([transitions]))
    await world.close(tab)
  },

  async 'readings stronger than a bound are alerts'(world, { alerts }) {
    const tab = await world.open(address('&alerts=0.05'))
    await ready(tab)
    await until('as many alerts as the stream has', async () => (await values(tab, '.feed h2 data'))[0] === alerts)
    await world.close(tab)
  },

  async 'whole numbers are as strong as they are, and activities may be numbers'(world) {
    await world.statements(`CREATE STREAM whole (device VARCHAR, state INT, x INT, y INT)
      WITH (KAFKA_TOPIC='whole', VALUE_FORMAT='JSON', PARTITIONS=1);`)
    for (const values of ['1, 50000, 0', '1, 3, 4', '2, 40000, 40000']) await world.statements(`INSERT INTO whole VALUES ('a', ${values});`)
    const tab = await world.open('/#/devices?stream=WHOLE&from=earliest&alerts=1000')
    await until('two alerts and a transition', async () => String(await values(tab, '.feed h2 data')) === '2,1')
    assert.deepEqual((await values(tab, '.feed ol data')).sort(), [50000, Math.sqrt(2 * 40000 ** 2)])
    assert.deepEqual(await texts(tab, '.feed ol[aria-label=Transitions] .activity'), ['1', '2'])
    await world.close(tab)
  },

  async 'devices without a value are last in either direction'(world) {
    await world.statements(`CREATE STREAM gaps (device VARCHAR, x DOUBLE) WITH (KAFKA_TOPIC='gaps', VALUE_FORMAT='JSON', PARTITIONS=1);`)
    for (const values of ["'a', CAST(NULL AS DOUBLE)", "'b', 1.0", "'c', 2.0"]) await world.statements(`INSERT INTO gaps VALUES (${values});`)
    const tab = await world.open('/#/devices?stream=GAPS&from=earliest&sort=x.value&dir=asc')
    const shows = (names) => until(names, async () => String(await texts(tab, '.row .name a')) === names)
    await shows('b,c,a')
    await tab.getByRole('button', { name: 'Ascending; turn around' }).click()
    await shows('c,b,a')
    await world.close(tab)
  },

  async 'a device is searched, put in order and looked at by keys alone'(world, { reports }) {
    const tab = await world.open(address())
    await ready(tab)
    await tab.getByRole('searchbox').fill('pixel6')
    await until('the devices of one model', async () => (await texts(tab, '.row .name a')).length === 3)
    await tab.getByLabel('Sort by').selectOption('readings')
    const expected = [...reports.values()].filter(({ model }) => model === 'pixel6')
    expected.sort((a, b) => b.total - a.total)
    await until('their order', async () => String((await figures(tab)).map(({ total }) => total)) === String(expected.map(({ total }) => total)))
    await tab.locator('.row .name a').first().focus()
    await tab.keyboard.press('ArrowDown')
    await tab.keyboard.press('Enter')
    const name = (await texts(tab, '.row.chosen .name a'))[0]
    assert.equal((await texts(tab, '.detail h2'))[0], name)
    const report = reports.get(name)
    const [mean] = await values(tab, '.detail data.mean')
    close(mean, report.x.mean, `${name} x mean`)
    assert.deepEqual(await texts(tab, '.detail .counts .activity'), Object.keys(report.activities))
    assert.match(tab.url(), new RegExp(`search=pixel6&sort=readings&device=${name}`))
    await world.accessible(tab, 'a device')
    await tab.keyboard.press('Escape')
    await tab.waitForSelector('.detail', { state: 'detached' })
    assert.equal(await tab.evaluate(() => document.activeElement.textContent), name)
    await world.close(tab)
  },

  async 'looks'(world) {
    await world.looks(address(), 'devices', ready)
    await world.looks(address('&device=nexus4_1'), 'device', ready)
  },

  async 'the choice of stream and columns is in the address'(world) {
    const tab = await world.open('/')
    await tab.locator('.picker summary').first().click()
    await world.accessible(tab, 'the choice of columns')
    await world.picture(tab, 'picker-1440-light')
    await tab.getByLabel('Third axis').selectOption('')
    await until('two axes', async () => (await texts(tab, '.head [role=columnheader]')).length === 5)
    assert.match(tab.url(), /z=(&|$)/)
    await world.close(tab)
  },

  async 'names are text, whatever they hold'(world) {
    const name = '<img src=x onerror=alert(1)>&amp;'
    const file = join(world.folder, 'odd.jsonl')
    await writeFile(file, JSON.stringify({ device: name, gt: '<b>walk</b>', model: '"\'`', x: 1.5, y: -2, z: 0 }) + '\n')
    await world.statements(`CREATE STREAM odd (device VARCHAR, gt VARCHAR, model VARCHAR, x DOUBLE, y DOUBLE, z DOUBLE)
      WITH (KAFKA_TOPIC='odd', VALUE_FORMAT='JSON', PARTITIONS=1);`)
    await world.statements(`INSERT INTO odd VALUES ('${name}', '<b>walk</b>', '"''\`', 1.5, -2.0, 0.0);`)
    const tab = await world.open(`/#/devices?stream=ODD&from=earliest&device=${encodeURIComponent(name)}`)
    await tab.waitForSelector('.detail tbody')
    assert.deepEqual(await texts(tab, '.row .name a'), [name])
    assert.deepEqual(await texts(tab, '.row .activity'), ['<b>walk</b>'])
    assert.equal(await tab.locator('img[src="x"]').count(), 0)
    await world.close(tab)
  },

  async 'columns within a structure are found, and values that are missing do not count'(world) {
    await world.statements(`CREATE STREAM nested (body STRUCT<sensor_id INT, acc_x DOUBLE, label VARCHAR>)
      WITH (KAFKA_TOPIC='nested', VALUE_FORMAT='JSON', PARTITIONS=1);`)
    for (const x of ['1.0', 'CAST(NULL AS DOUBLE)', '4.0']) {
      await world.statements(`INSERT INTO nested VALUES (STRUCT(sensor_id := 7, acc_x := ${x}, label := 'walk'));`)
    }
    const tab = await world.open('/#/devices?stream=NESTED&from=earliest')
    await tab.waitForFunction(() => document.querySelector('.row .total data')?.value === '3')
    const [{ device, axes }] = await figures(tab)
    assert.equal(device, '7')
    assert.deepEqual(axes, { acc_x: { mean: 2.5, std: 1.5, min: 1, max: 4 } })
    await world.close(tab)
  },

  async 'devices that had readings a while ago are there at once'(world) {
    await world.statements(`CREATE STREAM recent (device VARCHAR, x DOUBLE)
      WITH (KAFKA_TOPIC='recent', VALUE_FORMAT='JSON', PARTITIONS=1);`)
    await world.statements(`INSERT INTO recent (rowtime, device, x) VALUES (${Date.now() - 3_600_000}, 'old', 1.0);`)
    for (const x of [2, 4]) await world.statements(`INSERT INTO recent VALUES ('new', ${x}.0);`)
    const tab = await world.open('/#/devices?stream=RECENT&from=600')
    await until('one device', async () => (await figures(tab))[0]?.total === 2)
    assert.deepEqual((await figures(tab)).map(({ device, axes }) => [device, axes.x.mean]), [['new', 3]])
    await tab.getByText('from 10 min ago').first().waitFor()
    await world.close(tab)
  },

  async 'a stream that is not there is said'(world) {
    const tab = await world.open('/#/devices?stream=NOPE')
    await tab.getByText('There is no stream NOPE').waitFor()
    await world.accessible(tab, 'no stream')
    await world.close(tab)
  },

  async 'eight tabs of one browser show all of it, and know that the server is there'(world) {
    const first = await world.open(address())
    const tabs = [first]
    while (tabs.length < 8) {
      const tab = await first.context().newPage()
      await tab.goto(world.url + address())
      await ready(tab)
      tabs.push(tab)
    }
    const answer = await first.evaluate(async () => (await fetch('/info', { signal: AbortSignal.timeout(4_000) })).status)
    assert.equal(answer, 200)
    for (const tab of tabs) assert.equal(await tab.getByText(/The server is away/).count(), 0)
    await world.close(first)
  },

  async 'who has to say who he is sees all of it, and others nothing'(world, { alerts }) {
    const users = join(world.folder, 'users')
    await writeFile(users, 'ann: secret, admin\n')
    const properties = [`authentication.method=BASIC`, `authentication.password.file=${users}`, 'ksql.service.id=with_users_']
    const server = world.spawn('server', '--bootstrap-servers', world.brokers, '--listeners', 'http://127.0.0.1:0', ...properties.flatMap((one) => ['--property', one]))
    const url = await server.says(/listening on (http[0-9.:/]+[0-9])/)
    const stream = `CREATE STREAM readings (device VARCHAR, gt VARCHAR, x DOUBLE, y DOUBLE, z DOUBLE)
      WITH (KAFKA_TOPIC='device-sensors', VALUE_FORMAT='JSON');`
    assert.equal((await fetch(`${url}/`, { headers: { accept: 'text/html' } })).status, 401)
    const headers = { 'content-type': 'application/json', authorization: `Basic ${btoa('ann:secret')}` }
    const made = await fetch(`${url}/ksql`, { method: 'POST', headers, body: JSON.stringify({ ksql: stream }) })
    assert.equal(made.status, 200)
    const login = { username: 'ann', password: 'secret' }
    const tab = await world.open('/#/devices?from=earliest&alerts=0.05', { url, login })
    await ready(tab)
    await until('as many alerts as there are', async () => (await values(tab, '.feed h2 data'))[0] === alerts)
    await world.close(tab, /status of 401|WebSocket connection/)
    await server.stop()
  },

  async 'a server that goes is missed, and found again with true figures'(world, { reports }) {
    const tab = await world.open(address())
    await ready(tab)
    const fromNow = await world.open('/#/devices?stream=DEVICE_READINGS&from=latest')
    await fromNow.getByText('Waiting for readings').waitFor()
    await world.server.stop()
    await tab.getByText(/The server is away since/).waitFor()
    await world.accessible(tab, 'a server that is away')
    await world.picture(tab, 'away-1440-light')
    await world.serve()
    await tab.getByText(/The server was away from/).waitFor()
    await ready(tab)
    await until('the figures of all readings again', async () => {
      const found = await figures(tab)
      return found.length > 0 && found.every(({ device, total }) => reports.get(device).total === total)
    })
    await tab.getByRole('button', { name: 'Dismiss' }).click()
    await fromNow.getByText(/Readings between .* may be missing here/).waitFor()
    await world.close(fromNow, /ERR_|Failed to load resource|WebSocket connection/)
    await world.close(tab, /ERR_|Failed to load resource|WebSocket connection/)
  },
}

/** The figures of all devices, of which those alone are drawn that can be seen. */
async function scrolled(tab, count) {
  const found = new Map()
  await until('a row of each device', async () => {
    for (const row of await figures(tab)) found.set(row.device, row)
    await tab.mouse.wheel(0, 400)
    return found.size === count
  })
  return found
}
