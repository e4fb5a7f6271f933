// franz-go, told by test_clients.py what to do; what it did goes to standard output, a line each (as ../java/Client.java).
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

var output sync.Mutex

func say(format string, values ...any) {
	output.Lock()
	defer output.Unlock()
	fmt.Printf(format+"\n", values...)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func tell(record *kgo.Record) {
	say("record %d %d %s %s", record.Partition, record.Offset, record.Key, record.Value)
}

// The context ends when standard input does: how the test says stop.
func untilInputEnds() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, bufio.NewReader(os.Stdin))
		cancel()
	}()
	return ctx
}

func client(bootstrap string, options ...kgo.Opt) *kgo.Client {
	made, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(bootstrap)}, options...)...)
	check(err)
	return made
}

func codec(name string) kgo.CompressionCodec {
	return map[string]kgo.CompressionCodec{"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression()}[name]
}

func produce(bootstrap, topic string, count int, compression string) {
	producer := client(bootstrap, kgo.ProducerBatchCompression(codec(compression)), kgo.ProducerLinger(2*time.Millisecond))
	defer producer.Close()
	var failed atomic.Value
	for i := 0; i < count; i++ {
		producer.Produce(context.Background(), &kgo.Record{Topic: topic, Key: []byte(fmt.Sprintf("k%d", i%7)),
			Value:   []byte(fmt.Sprintf("%06d-%s", i, strings.Repeat("x", 100))),
			Headers: []kgo.RecordHeader{{Key: "n", Value: []byte(strconv.Itoa(i))}}}, func(_ *kgo.Record, err error) {
			if err != nil {
				failed.Store(err)
			}
		})
	}
	check(producer.Flush(context.Background()))
	if err, ok := failed.Load().(error); ok {
		check(err)
	}
	say("produced %d", count)
}

// Everything up to the end that each partition has now.
func read(bootstrap, topic, isolation string) {
	level := kgo.ReadUncommitted()
	if isolation == "read_committed" {
		level = kgo.ReadCommitted()
	}
	ends, count := endOffsets(bootstrap, topic, isolation == "read_committed")
	// Control records count towards the end, so they are asked for and not told.
	reader := client(bootstrap, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(level), kgo.KeepControlRecords(),
		kgo.FetchMaxWait(200*time.Millisecond))
	defer reader.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for count > 0 {
		fetches := reader.PollFetches(ctx)
		check(fetches.Err0())
		fetches.EachRecord(func(record *kgo.Record) {
			if record.Offset >= ends[record.Partition] {
				return
			}
			if !record.Attrs.IsControl() {
				tell(record)
			}
			if record.Offset == ends[record.Partition]-1 {
				count--
			}
		})
	}
	say("end")
}

// The end of each partition, and how many are not empty. The last record of each is one that readers see.
func endOffsets(bootstrap, topic string, committed bool) (map[int32]int64, int) {
	probe := client(bootstrap)
	defer probe.Close()
	found, err := listEnds(probe, topic, committed)
	check(err)
	count := 0
	for _, end := range found {
		if end > 0 {
			count++
		}
	}
	return found, count
}

// A member of a group. A record is told when its position is committed, so that each is told once however members come and go.
func member(bootstrap, topic, group, protocol string) {
	ctx := untilInputEnds()
	var owned atomic.Int64
	count := func(sign int64) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
			say("owns %d", owned.Add(sign*int64(len(partitions[topic]))))
		}
	}
	options := []kgo.Opt{kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(), kgo.SessionTimeout(6 * time.Second), kgo.HeartbeatInterval(500 * time.Millisecond),
		kgo.OnPartitionsAssigned(count(1)), kgo.OnPartitionsRevoked(count(-1)), kgo.OnPartitionsLost(count(-1))}
	switch protocol {
	case "range":
		options = append(options, kgo.Balancers(kgo.RangeBalancer()))
	case "cooperative":
		options = append(options, kgo.Balancers(kgo.CooperativeStickyBalancer()))
	case "consumer":
		options = append(options, kgo.WithContext(context.WithValue(context.Background(), "opt_in_kafka_next_gen_balancer_beta", true)))
	}
	reader := client(bootstrap, options...)
	for ctx.Err() == nil {
		fetches := reader.PollFetches(ctx)
		for _, failure := range fetches.Errors() {
			if !errors.Is(failure.Err, context.Canceled) {
				check(failure.Err)
			}
		}
		if records := fetches.Records(); len(records) > 0 {
			if err := reader.CommitRecords(context.Background(), records...); err == nil {
				for _, record := range records {
					tell(record)
				}
			} else if !errors.Is(err, kerr.RebalanceInProgress) && !errors.Is(err, kerr.IllegalGeneration) && !errors.Is(err, kerr.UnknownMemberID) {
				check(err)
			} else {
				say("not committed: %v", err)
			}
		}
		reader.AllowRebalance()
	}
	reader.CloseAllowingRebalance()
	say("left")
}

// Ten transactions of ten records, every second one aborted; then a second producer of that id ends the first one's.
func transactions(bootstrap, topic, id string) {
	ctx := context.Background()
	first := client(bootstrap, kgo.TransactionalID(id), kgo.TransactionTimeout(20*time.Second))
	for number := 0; number < 10; number++ {
		check(first.BeginTransaction())
		for i := 0; i < 10; i++ {
			first.Produce(ctx, &kgo.Record{Topic: topic, Key: []byte(fmt.Sprintf("k%d", i)), Value: []byte(fmt.Sprintf("%d-%d", number, i))}, func(_ *kgo.Record, err error) { check(err) })
		}
		check(first.Flush(ctx))
		check(first.EndTransaction(ctx, kgo.TransactionEndTry(number%2 == 0)))
	}
	check(first.BeginTransaction())
	check(first.ProduceSync(ctx, &kgo.Record{Topic: topic, Key: []byte("k"), Value: []byte("open")}).FirstErr())
	second := client(bootstrap, kgo.TransactionalID(id))
	check(second.BeginTransaction())
	check(second.ProduceSync(ctx, &kgo.Record{Topic: topic, Key: []byte("k"), Value: []byte("second")}).FirstErr())
	check(second.EndTransaction(ctx, kgo.TryCommit))
	second.Close()
	err := first.ProduceSync(ctx, &kgo.Record{Topic: topic, Key: []byte("k"), Value: []byte("late")}).FirstErr()
	if err == nil {
		err = first.EndTransaction(ctx, kgo.TryCommit)
	}
	if errors.Is(err, kerr.InvalidProducerEpoch) || errors.Is(err, kerr.ProducerFenced) {
		say("fenced")
	} else {
		say("failed otherwise: %v", err)
	}
}

// Consumes and produces in transactions of up to 50 records, each with its positions, until input ends or it is killed.
func copyAll(bootstrap, from, to, group string) {
	ctx := untilInputEnds()
	session, err := kgo.NewGroupTransactSession(kgo.SeedBrokers(bootstrap), kgo.ConsumerGroup(group), kgo.ConsumeTopics(from),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.TransactionalID(group+"-copy"),
		kgo.TransactionTimeout(20*time.Second), kgo.SessionTimeout(6*time.Second), kgo.HeartbeatInterval(500*time.Millisecond), kgo.RequireStableFetchOffsets())
	check(err)
	copied := 0
	for ctx.Err() == nil {
		fetches := session.PollRecords(ctx, 50)
		records := fetches.Records()
		if len(records) == 0 {
			continue
		}
		check(session.Begin())
		for _, record := range records {
			session.Produce(context.Background(), &kgo.Record{Topic: to, Key: record.Key, Value: record.Value}, func(_ *kgo.Record, err error) { check(err) })
		}
		committed, err := session.End(context.Background(), kgo.TryCommit)
		check(err)
		if committed {
			copied += len(records)
			say("copied %d", copied)
		}
	}
	session.Close()
	say("left")
}

func main() {
	args := os.Args[1:]
	switch args[0] {
	case "produce":
		count, err := strconv.Atoi(args[3])
		check(err)
		produce(args[1], args[2], count, args[4])
	case "read":
		read(args[1], args[2], args[3])
	case "member":
		member(args[1], args[2], args[3], args[4])
	case "transactions":
		transactions(args[1], args[2], args[3])
	case "copy":
		copyAll(args[1], args[2], args[3], args[4])
	default:
		check(fmt.Errorf("what is %s", args[0]))
	}
}
