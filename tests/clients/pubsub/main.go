// Google's own Pub/Sub client and test server, as commands of the tests.
//
//	pubsub serve PORT                            the server, until it is killed; prints "ready"
//	pubsub create TOPIC SUBSCRIPTION [ordered]   makes both
//	pubsub publish TOPIC                         a message for each line of JSON: {"data", "attributes", "ordering_key"}
//	pubsub pull SUBSCRIPTION COUNT               prints so many messages as lines of JSON, acknowledges them
//	pubsub drained SUBSCRIPTION SECONDS          fails when a message comes within that time
//
// All but serve use PUBSUB_EMULATOR_HOST.
package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"cloud.google.com/go/pubsub"
	"cloud.google.com/go/pubsub/pstest"
)

type message struct {
	Data        string            `json:"data"`
	Base64      string            `json:"base64,omitempty"`
	Attributes  map[string]string `json:"attributes,omitempty"`
	OrderingKey string            `json:"ordering_key,omitempty"`
	ID          string            `json:"id,omitempty"`
	PublishTime int64             `json:"publish_time_us,omitempty"`
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	check(err)
	return value
}

func publish(ctx context.Context, client *pubsub.Client, name string) {
	topic := client.Topic(name)
	topic.EnableMessageOrdering = true
	var results []*pubsub.PublishResult
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var m message
		check(json.Unmarshal(lines.Bytes(), &m))
		data := []byte(m.Data)
		if m.Base64 != "" {
			var err error
			data, err = base64.StdEncoding.DecodeString(m.Base64)
			check(err)
		}
		results = append(results, topic.Publish(ctx, &pubsub.Message{Data: data, Attributes: m.Attributes, OrderingKey: m.OrderingKey}))
	}
	check(lines.Err())
	for _, result := range results {
		_, err := result.Get(ctx)
		check(err)
	}
}

func pull(ctx context.Context, client *pubsub.Client, name string, count int) {
	ctx, cancel := context.WithCancel(ctx)
	var mutex sync.Mutex
	out := json.NewEncoder(os.Stdout)
	check(client.Subscription(name).Receive(ctx, func(_ context.Context, m *pubsub.Message) {
		mutex.Lock()
		defer mutex.Unlock()
		if count == 0 {
			m.Nack()
			return
		}
		m.Ack()
		check(out.Encode(message{Data: string(m.Data), Base64: base64.StdEncoding.EncodeToString(m.Data), Attributes: m.Attributes,
			OrderingKey: m.OrderingKey, ID: m.ID, PublishTime: m.PublishTime.UnixMicro()}))
		if count--; count == 0 {
			cancel()
		}
	}))
}

func main() {
	if len(os.Args) > 2 && os.Args[1] == "serve" {
		server := pstest.NewServerWithPort(number(os.Args[2]))
		fmt.Println("ready", server.Addr)
		select {}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Second)
	defer cancel()
	client, err := pubsub.NewClient(ctx, "test")
	check(err)
	switch os.Args[1] {
	case "create":
		topic, err := client.CreateTopic(ctx, os.Args[2])
		check(err)
		_, err = client.CreateSubscription(ctx, os.Args[3], pubsub.SubscriptionConfig{Topic: topic, AckDeadline: 10 * time.Second,
			EnableMessageOrdering: len(os.Args) > 4})
		check(err)
	case "publish":
		publish(ctx, client, os.Args[2])
	case "pull":
		pull(ctx, client, os.Args[2], number(os.Args[3]))
		check(ctx.Err())
	case "drained":
		ctx, cancel := context.WithTimeout(ctx, time.Duration(number(os.Args[3]))*time.Second)
		defer cancel()
		check(client.Subscription(os.Args[2]).Receive(ctx, func(_ context.Context, m *pubsub.Message) {
			fmt.Fprintln(os.Stderr, "still there:", string(m.Data))
			os.Exit(1)
		}))
	default:
		check(fmt.Errorf("no command %q", os.Args[1]))
	}
}
