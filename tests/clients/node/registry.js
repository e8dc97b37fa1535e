// kafkajs and its Schema Registry client against a broker and a registry.
//
// Usage: node registry.js BROKER URL write           readings in each format to `node-FORMAT`
//        node registry.js BROKER URL read WRITER…    the same from `WRITER-FORMAT`
'use strict'
const assert = require('node:assert')
const { Kafka, logLevel } = require('kafkajs')
const { SchemaRegistry, SchemaType } = require('@kafkajs/confluent-schema-registry')

const [broker, host, does, ...writers] = process.argv.slice(2)
const kafka = new Kafka({ clientId: 'node', brokers: [broker], logLevel: logLevel.ERROR })
const registry = new SchemaRegistry({ host })

const READINGS = [
  { device: 'd1', reading: 1.5, count: 7, tags: ['a', 'b'] },
  { device: 'größe', reading: -0.25, count: 9007199254740990, tags: [] },
  { device: '', reading: 0, count: 0, tags: ['x'] },
]
const SCHEMAS = {
  avro: {
    type: SchemaType.AVRO,
    schema: JSON.stringify({
      type: 'record', name: 'Reading', namespace: 'clients',
      fields: [
        { name: 'device', type: 'string' }, { name: 'reading', type: 'double' },
        { name: 'count', type: 'long' }, { name: 'tags', type: { type: 'array', items: 'string' } },
      ],
    }),
  },
  json: {
    type: SchemaType.JSON,
    schema: JSON.stringify({
      $schema: 'http://json-schema.org/draft-07/schema#', title: 'Reading', type: 'object',
      properties: {
        device: { type: 'string' }, reading: { type: 'number' }, count: { type: 'integer' },
        tags: { type: 'array', items: { type: 'string' } },
      },
      required: ['device'],
    }),
  },
  protobuf: {
    type: SchemaType.PROTOBUF,
    schema: `syntax = "proto3"; package clients;
      message Reading { string device = 1; double reading = 2; int64 count = 3; repeated string tags = 4; }`,
  },
}

// Values as they were written: numbers of 64 bits may come as objects, defaults may be missing.
const plain = (value) => ({
  device: value.device || '',
  reading: Number(value.reading || 0),
  count: Number(value.count || 0),
  tags: [...(value.tags || [])],
})

const write = async () => {
  const producer = kafka.producer()
  await producer.connect()
  for (const [format, schema] of Object.entries(SCHEMAS)) {
    const topic = `node-${format}`
    const { id } = await registry.register(schema, { subject: `${topic}-value` })
    assert.strictEqual(await registry.getLatestSchemaId(`${topic}-value`), id)
    assert.strictEqual(await registry.getRegistryId(`${topic}-value`, 1), id)
    const messages = []
    for (const reading of READINGS) messages.push({ value: await registry.encode(id, reading) })
    await producer.send({ topic, messages })
    console.log(`ok node writes ${topic}`)
  }
  await producer.disconnect()
}

const records = async (topic) => {
  const consumer = kafka.consumer({ groupId: `node-${topic}-${process.pid}` })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const values = []
  await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`${values.length} records in ${topic}`)), 30000)
    consumer.run({
      eachMessage: async ({ message }) => {
        values.push(message.value)
        if (values.length === READINGS.length) {
          clearTimeout(late)
          resolve()
        }
      },
    }).catch(reject)
  })
  await consumer.disconnect()
  return values
}

const read = async () => {
  for (const writer of writers) {
    for (const format of Object.keys(SCHEMAS)) {
      const topic = `${writer}-${format}`
      const values = []
      for (const value of await records(topic)) values.push(plain(await registry.decode(value)))
      assert.deepStrictEqual(values, READINGS, topic)
      console.log(`ok node reads ${topic}`)
    }
  }
}

(does === 'write' ? write() : read()).catch((error) => {
  console.error(error)
  process.exit(1)
})
