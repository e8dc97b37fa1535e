// franz-go and its Schema Registry client against a broker and a registry.
//
//	registry BROKER URL write           readings as JSON to `go-json`, and all that the client asks a registry
//	registry BROKER URL read WRITER…    the same from `WRITER-json`
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"
)

type reading struct {
	Device  string   `json:"device"`
	Reading float64  `json:"reading"`
	Count   int64    `json:"count"`
	Tags    []string `json:"tags"`
}

var readings = []reading{
	{"d1", 1.5, 7, []string{"a", "b"}},
	{"größe", -0.25, 9007199254740990, []string{}},
	{"", 0, 0, []string{"x"}},
}

const schema = `{"$schema": "http://json-schema.org/draft-07/schema#", "title": "Reading", "type": "object",
  "properties": {"device": {"type": "string"}, "reading": {"type": "number"}, "count": {"type": "integer"},
    "tags": {"type": "array", "items": {"type": "string"}}}, "required": ["device"]}`

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func hold(holds bool, what ...any) {
	if !holds {
		check(errors.New(fmt.Sprintln(what...)))
	}
}

func serde(id int) *sr.Serde {
	serde := new(sr.Serde)
	serde.Register(id, reading{}, sr.EncodeFn(json.Marshal), sr.DecodeFn(json.Unmarshal))
	return serde
}

func write(ctx context.Context, broker string, registry *sr.Client) {
	subject := "go-json-value"
	registered, err := registry.CreateSchema(ctx, subject, sr.Schema{Schema: schema, Type: sr.TypeJSON})
	check(err)
	hold(registered.Version == 1 && registered.Type == sr.TypeJSON, registered)
	found, err := registry.SchemaByID(ctx, registered.ID)
	check(err)
	hold(found.Schema == registered.Schema.Schema, found)
	again, err := registry.LookupSchema(ctx, subject, sr.Schema{Schema: schema, Type: sr.TypeJSON})
	check(err)
	hold(again.ID == registered.ID, again)
	verdict, err := registry.CheckCompatibility(ctx, subject, -1, sr.Schema{Schema: `{"type":"string"}`, Type: sr.TypeJSON})
	check(err)
	hold(!verdict.Is && len(verdict.Messages) > 0, verdict)
	_, err = registry.SchemaByID(ctx, 9999)
	var refused *sr.ResponseError
	hold(errors.As(err, &refused) && refused.ErrorCode == 40403, err)
	for _, set := range registry.SetCompatibility(ctx, sr.SetCompatibility{Level: sr.CompatFull}, subject) {
		check(set.Err)
	}
	hold(registry.Compatibility(ctx, subject)[0].Level == sr.CompatFull, "level")
	types, err := registry.SupportedTypes(ctx)
	check(err)
	hold(len(types) == 3, types)
	fmt.Println("ok go asks the registry")

	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.AllowAutoTopicCreation())
	check(err)
	defer client.Close()
	serde := serde(registered.ID)
	for _, reading := range readings {
		value, err := serde.Encode(reading)
		check(err)
		check(client.ProduceSync(ctx, &kgo.Record{Topic: "go-json", Value: value}).FirstErr())
	}
	fmt.Println("ok go writes go-json")
}

func read(ctx context.Context, broker string, registry *sr.Client, writer string) {
	topic := writer + "-json"
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	check(err)
	defer client.Close()
	var found []reading
	for len(found) < len(readings) {
		fetches := client.PollFetches(ctx)
		check(fetches.Err())
		fetches.EachRecord(func(record *kgo.Record) {
			id, _, err := new(sr.ConfluentHeader).DecodeID(record.Value)
			check(err)
			_, err = registry.SchemaByID(ctx, id)
			check(err)
			var value reading
			check(serde(id).Decode(record.Value, &value))
			found = append(found, value)
		})
	}
	hold(reflect.DeepEqual(found, readings), topic, found)
	fmt.Println("ok go reads", topic)
}

func main() {
	broker, url, does := os.Args[1], os.Args[2], os.Args[3]
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	registry, err := sr.NewClient(sr.URLs(url), sr.DefaultParams(sr.Verbose))
	check(err)
	if does == "write" {
		write(ctx, broker, registry)
	}
	for _, writer := range os.Args[4:] {
		read(ctx, broker, registry, writer)
	}
}
