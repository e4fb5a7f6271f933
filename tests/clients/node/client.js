// KafkaJS, told by test_clients.py what to do; what it did goes to standard output, a line each (as ../java/Client.java).
'use strict'

const { CompressionCodecs, CompressionTypes, Kafka, logLevel, PartitionAssigners } = require('kafkajs')
const lz4 = require('lz4js')
const snappy = require('kafkajs-snappy')
const { ZstdCodec } = require('zstd-codec')

const say = line => process.stdout.write(line + '\n')
const inputEnds = new Promise(resolve => process.stdin.on('end', resolve).on('error', resolve).resume())

CompressionCodecs[CompressionTypes.Snappy] = snappy
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: async encoder => Buffer.from(lz4.compress(encoder.buffer)),
  decompress: async buffer => Buffer.from(lz4.decompress(buffer)),
})
CompressionCodecs[CompressionTypes.ZSTD] = () => {
  const loaded = new Promise(resolve => ZstdCodec.run(zstd => resolve(new zstd.Streaming())))
  return {
    compress: async encoder => Buffer.from((await loaded).compress(encoder.buffer)),
    decompress: async buffer => Buffer.from((await loaded).decompress(buffer)),
  }
}
const TYPES = {
  none: CompressionTypes.None, gzip: CompressionTypes.GZIP, snappy: CompressionTypes.Snappy, lz4: CompressionTypes.LZ4, zstd: CompressionTypes.ZSTD,
}

const connect = bootstrap => new Kafka({ brokers: [bootstrap], clientId: 'kafkajs', logLevel: logLevel.ERROR, retry: { initialRetryTime: 50, retries: 20 },
  logCreator: () => ({ log, label }) => process.stderr.write(`${label} ${JSON.stringify(log)}\n`) })
const tell = (partition, message) => say(`record ${partition} ${message.offset} ${message.key} ${message.value}`)

async function produce (bootstrap, topic, count, compression) {
  const producer = connect(bootstrap).producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  for (let start = 0; start < count; start += 200) {
    const messages = []
    for (let i = start; i < Math.min(start + 200, count); i++) {
      messages.push({ key: `k${i % 7}`, value: `${String(i).padStart(6, '0')}-${'x'.repeat(100)}`, headers: { n: String(i) } })
    }
    await producer.send({ topic, messages, acks: -1, compression: TYPES[compression] })
  }
  await producer.disconnect()
  say(`produced ${count}`)
}

// Everything up to the end that each partition has now. KafkaJS tells no control records, so their place is found by its own position.
async function read (bootstrap, topic, isolation) {
  const kafka = connect(bootstrap)
  const admin = kafka.admin()
  await admin.connect()
  const ends = new Map((await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => [partition, Number(high)]).filter(([, end]) => end > 0))
  await admin.disconnect()
  const reader = kafka.consumer({ groupId: `read-${topic}-${process.pid}-${Date.now()}`, readUncommitted: isolation === 'read_uncommitted', maxWaitTimeInMs: 200 })
  await reader.connect()
  await reader.subscribe({ topic, fromBeginning: true })
  const told = new Map()
  const done = new Promise((resolve, reject) => {
    reader.on(reader.events.CRASH, ({ payload }) => reject(payload.error))
    setTimeout(() => reject(new Error('the end did not come')), 60000).unref()
    reader.on(reader.events.END_BATCH_PROCESS, ({ payload: { partition, lastOffset } }) => {
      if (Number(lastOffset) + 1 >= ends.get(partition)) ends.delete(partition)
      if (ends.size === 0) resolve()
    })
    if (ends.size === 0) resolve()
  })
  await reader.run({
    eachBatchAutoResolve: true,
    eachBatch: async ({ batch }) => {
      for (const message of batch.messages) {
        const last = told.get(batch.partition) ?? -1
        if (Number(message.offset) > last) {
          tell(batch.partition, message)
          told.set(batch.partition, Number(message.offset))
        }
      }
    },
  })
  await done
  await reader.disconnect()
  say('end')
}

// A member of a group. A record is told when its position is committed, so that each is told once however members come and go.
async function member (bootstrap, topic, group) {
  const reader = connect(bootstrap).consumer({ groupId: group, sessionTimeout: 6000, heartbeatInterval: 500, rebalanceTimeout: 20000, maxWaitTimeInMs: 100,
    partitionAssigners: [PartitionAssigners.roundRobin] })
  reader.on(reader.events.GROUP_JOIN, ({ payload }) => say(`owns ${(payload.memberAssignment[topic] ?? []).length}`))
  await reader.connect()
  await reader.subscribe({ topic, fromBeginning: true })
  await reader.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    eachBatch: async ({ batch, resolveOffset, heartbeat }) => {
      if (batch.messages.length === 0) return
      const position = String(BigInt(batch.messages[batch.messages.length - 1].offset) + 1n)
      await reader.commitOffsets([{ topic, partition: batch.partition, offset: position }])
      for (const message of batch.messages) {
        tell(batch.partition, message)
        resolveOffset(message.offset)
      }
      await heartbeat()
    },
  })
  await inputEnds
  await reader.disconnect()
  say('left')
}

// Ten transactions of ten records, every second one aborted; then a second producer of that id ends the first one's.
async function transactions (bootstrap, topic, id) {
  const begin = async () => {
    const producer = connect(bootstrap).producer({ transactionalId: id, idempotent: true, maxInFlightRequests: 1, transactionTimeout: 20000, retry: { retries: 5 } })
    await producer.connect()
    return producer
  }
  const first = await begin()
  for (let number = 0; number < 10; number++) {
    const transaction = await first.transaction()
    await transaction.send({ topic, messages: Array.from({ length: 10 }, (_, i) => ({ key: `k${i}`, value: `${number}-${i}` })) })
    await (number % 2 === 0 ? transaction.commit() : transaction.abort())
  }
  const open = await first.transaction()
  await open.send({ topic, messages: [{ key: 'k', value: 'open' }] })
  const second = await begin()
  const transaction = await second.transaction()
  await transaction.send({ topic, messages: [{ key: 'k', value: 'second' }] })
  await transaction.commit()
  await second.disconnect()
  try {
    await open.send({ topic, messages: [{ key: 'k', value: 'late' }] })
    await open.commit()
    say('not fenced')
  } catch (error) {
    const type = error.type ?? error.cause?.type
    say(['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED', 'INVALID_TXN_STATE'].includes(type) ? 'fenced' : `failed otherwise: ${type} ${error}`)
  }
  await first.disconnect()
}

// Consumes and produces in transactions, each with its positions, until input ends or it is killed.
async function copy (bootstrap, from, to, group) {
  const kafka = connect(bootstrap)
  const writer = kafka.producer({ transactionalId: `${group}-copy`, idempotent: true, maxInFlightRequests: 1, transactionTimeout: 20000 })
  const reader = kafka.consumer({ groupId: group, sessionTimeout: 6000, heartbeatInterval: 500, readUncommitted: false, maxWaitTimeInMs: 100 })
  await writer.connect()
  await reader.connect()
  await reader.subscribe({ topic: from, fromBeginning: true })
  let copied = 0
  await reader.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    eachBatch: async ({ batch, resolveOffset, heartbeat }) => {
      for (let start = 0; start < batch.messages.length; start += 50) {
        const messages = batch.messages.slice(start, start + 50)
        const transaction = await writer.transaction()
        await transaction.send({ topic: to, messages: messages.map(({ key, value }) => ({ key, value })) })
        const offset = String(BigInt(messages[messages.length - 1].offset) + 1n)
        await transaction.sendOffsets({ consumerGroupId: group, topics: [{ topic: from, partitions: [{ partition: batch.partition, offset }] }] })
        await transaction.commit()
        resolveOffset(messages[messages.length - 1].offset)
        copied += messages.length
        say(`copied ${copied}`)
        await heartbeat()
      }
    },
  })
  await inputEnds
  await reader.disconnect()
  await writer.disconnect()
  say('left')
}

const [what, ...rest] = process.argv.slice(2)
if (what === 'produce') rest[2] = Number(rest[2])
const failed = error => {
  process.stderr.write(`${error.stack ?? error}\n`)
  process.exit(1)
}
process.on('unhandledRejection', failed)
;({ produce, read, member, transactions, copy })[what](...rest).then(() => process.stdout.write('', () => process.exit(0)), failed)  // what was said goes out first
