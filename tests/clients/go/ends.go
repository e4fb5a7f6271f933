package main

import (
	"context"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func listEnds(client *kgo.Client, topic string, committed bool) (map[int32]int64, error) {
	metadata := kmsg.NewPtrMetadataRequest()
	named := kmsg.NewMetadataRequestTopic()
	named.Topic = kmsg.StringPtr(topic)
	metadata.Topics = append(metadata.Topics, named)
	described, err := metadata.RequestWith(context.Background(), client)
	if err != nil {
		return nil, err
	}
	request := kmsg.NewPtrListOffsetsRequest()
	if committed {
		request.IsolationLevel = 1
	}
	wanted := kmsg.NewListOffsetsRequestTopic()
	wanted.Topic = topic
	for _, partition := range described.Topics[0].Partitions {
		one := kmsg.NewListOffsetsRequestTopicPartition()
		one.Partition = partition.Partition
		one.Timestamp = -1
		wanted.Partitions = append(wanted.Partitions, one)
	}
	request.Topics = append(request.Topics, wanted)
	answer, err := request.RequestWith(context.Background(), client)
	if err != nil {
		return nil, err
	}
	ends := map[int32]int64{}
	for _, partition := range answer.Topics[0].Partitions {
		if err := kerr.ErrorForCode(partition.ErrorCode); err != nil {
			return nil, err
		}
		ends[partition.Partition] = partition.Offset
	}
	return ends, nil
}
