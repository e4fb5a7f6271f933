#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "base/errors.h"
#include "base/random.h"
#include "connect/errors.h"
#include "connect/kinesis/aggregated_record.h"
#include "connect/kinesis/aws_signature.h"
#include "connect/kinesis/kinesis_client.h"
#include "connect/kinesis/shard_follower.h"
#include "connect/kinesis/shard_tree.h"

namespace tidemill {
namespace {

// AWS's published examples: the test suite of Signature Version 4 ("get-vanilla", "post-vanilla",
// "get-header-value-trim", "get-vanilla-query-order-key-case", "post-x-www-form-urlencoded"), all with these
// credentials at this time.
const AwsCredentials kExample{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""};
constexpr std::string_view kExampleTime = "20150830T123600Z";

std::string SignatureOf(AwsRequest request) {
  const std::string header = SignAwsRequest(request, "us-east-1", "service", kExampleTime, kExample);
  return header.substr(header.find("Signature=") + 10);
}

AwsRequest ExampleRequest(std::string method) {
  AwsRequest request;
  request.method = std::move(method);
  request.headers = {{"host", "example.amazonaws.com"}, {"x-amz-date", std::string(kExampleTime)}};
  return request;
}

TEST(AwsSignatureTest, GivesThePublishedSignatures) {
  EXPECT_EQ(SignAwsRequest(ExampleRequest("GET"), "us-east-1", "service", kExampleTime, kExample),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
            "SignedHeaders=host;x-amz-date, "
            "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
  EXPECT_EQ(SignatureOf(ExampleRequest("POST")), "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
  AwsRequest query = ExampleRequest("GET");
  query.query = "Param1=value1&Param2=value2";
  EXPECT_EQ(SignatureOf(query), "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
  AwsRequest trimmed = ExampleRequest("GET");
  trimmed.headers.push_back({"my-header1", " value1"});
  trimmed.headers.push_back({"my-header2", " \"a   b   c\""});
  EXPECT_EQ(SignatureOf(trimmed), "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736");
  AwsRequest form = ExampleRequest("POST");
  form.headers.push_back({"content-type", "application/x-www-form-urlencoded"});
  form.body = "Param1=value1";
  EXPECT_EQ(SignatureOf(form), "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a");
}

TEST(AwsSignatureTest, TimeIsUtc) {
  EXPECT_EQ(AwsDateTime(1440938160), "20150830T123600Z");
  EXPECT_EQ(AwsDateTime(0), "19700101T000000Z");
}

TEST(KinesisAnswerTest, RecordsAreRead) {
  const auto read = ParseKinesisRecords(
      R"({"Records":[{"Data":"aGVsbG8=","PartitionKey":"k","SequenceNumber":"495","ApproximateArrivalTimestamp":1.5E9},)"
      R"({"Data":"","PartitionKey":"é","SequenceNumber":"496","ApproximateArrivalTimestamp":1500000000.123}],)"
      R"("NextShardIterator":null,"MillisBehindLatest":77,"ChildShards":[]})");
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  ASSERT_EQ(read->records.size(), 2u);
  EXPECT_EQ(read->records[0].data, "hello");
  EXPECT_EQ(read->records[0].arrival_ms, 1'500'000'000'000);
  EXPECT_EQ(read->records[1].partition_key, "é");
  EXPECT_EQ(read->records[1].arrival_ms, 1'500'000'000'123);
  EXPECT_EQ(read->next_iterator, "");
  EXPECT_EQ(read->millis_behind, 77);
}

TEST(KinesisAnswerTest, NonsenseIsRefused) {
  for (const char* json :
       {"", "[]", "{}", "{\"Records\":1}", "{\"Records\":[1]}", "{\"Records\":[{\"Data\":\"aa\"}]}",
        R"({"Records":[{"Data":"?","SequenceNumber":"1"}]})", R"({"Records":[{"Data":"","SequenceNumber":"x\"y"}]})"})
    EXPECT_TRUE(ParseKinesisRecords(json).status().Is(kKinesisRefused)) << json;
  std::string token;
  for (const char* json :
       {"", "{}", R"({"Shards":[{}]})",
        R"({"Shards":[{"ShardId":"a","HashKeyRange":{"StartingHashKey":"x","EndingHashKey":"1"}}]})"})
    EXPECT_TRUE(ParseKinesisShards(json, &token).status().Is(kKinesisRefused)) << json;
}

TEST(KinesisAnswerTest, ShardsAreRead) {
  std::string token;
  const auto shards = ParseKinesisShards(
      R"({"NextToken":"t","Shards":[{"ShardId":"a","HashKeyRange":{"StartingHashKey":"0","EndingHashKey":"340282366920938463463374607431768211455"},)"
      R"("SequenceNumberRange":{"StartingSequenceNumber":"1","EndingSequenceNumber":"9"}},)"
      R"({"ShardId":"b","ParentShardId":"a","AdjacentParentShardId":"c","SequenceNumberRange":{"StartingSequenceNumber":"1"}}]})",
      &token);
  ASSERT_TRUE(shards.ok()) << shards.status().ToString();
  ASSERT_EQ(shards->size(), 2u);
  EXPECT_TRUE((*shards)[0].closed);
  EXPECT_TRUE((*shards)[0].hash_last == ~static_cast<unsigned __int128>(0));
  EXPECT_FALSE((*shards)[1].closed);
  EXPECT_EQ((*shards)[1].parents, (std::vector<std::string>{"a", "c"}));
  EXPECT_EQ(token, "t");
}

TEST(ShardPositionTest, TextIsReadBack) {
  for (const char* text : {"trim-horizon", "latest:1500000000123", "timestamp:0", "after:4959", "ended"}) {
    const auto position = ShardPosition::Parse(text);
    ASSERT_TRUE(position.ok()) << text;
    EXPECT_EQ(position->ToText(), text);
  }
  for (const char* text : {"", "after:", "after:1x", "after:\"", "timestamp:-1", "latest:", "ended?"})
    EXPECT_FALSE(ShardPosition::Parse(text).ok()) << text;
  EXPECT_EQ(ShardPosition::Parse("timestamp:1500000000007")->Place(),
            "\"ShardIteratorType\":\"AT_TIMESTAMP\",\"Timestamp\":1500000000.007");
}

std::vector<std::string> IdsOf(const std::vector<KinesisShard>& shards) {
  std::vector<std::string> ids;
  for (const KinesisShard& shard : shards) ids.push_back(shard.id);
  return ids;
}

KinesisShard ShardOf(std::string id, std::vector<std::string> parents = {}, bool closed = false) {
  KinesisShard shard;
  shard.id = std::move(id);
  shard.parents = std::move(parents);
  shard.closed = closed;
  return shard;
}

using Ids = std::vector<std::string>;

TEST(ShardTreeTest, ChildrenWaitForAllTheirParents) {
  // 0 was split into 1 and 2, then 2 and 3 were merged into 4; 9 has expired.
  ShardTree tree;
  tree.Update({ShardOf("0", {"9"}, true), ShardOf("1", {"0"}), ShardOf("2", {"0"}, true), ShardOf("3", {}, true),
               ShardOf("4", {"2", "3"})});
  EXPECT_EQ(IdsOf(tree.TakeReady()), (Ids{"0", "3"}));
  EXPECT_EQ(IdsOf(tree.TakeReady()), Ids{});
  tree.MarkEnded("3");
  EXPECT_EQ(IdsOf(tree.TakeReady()), Ids{});
  tree.MarkEnded("0");
  EXPECT_EQ(IdsOf(tree.TakeReady()), (Ids{"1", "2"}));
  tree.MarkEnded("2");
  EXPECT_EQ(IdsOf(tree.TakeReady()), Ids{"4"});
}

TEST(ShardTreeTest, ARestartSkipsWhatItsShardsWereMadeOf) {
  ShardTree tree;
  tree.Update({ShardOf("0", {}, true), ShardOf("1", {"0"}, true), ShardOf("2", {"0"}), ShardOf("3", {"1"})});
  tree.MarkTaken("1");
  tree.MarkAncestorsEnded("1");
  EXPECT_EQ(IdsOf(tree.TakeReady()), Ids{"2"});
  tree.MarkEnded("1");
  EXPECT_EQ(IdsOf(tree.TakeReady()), Ids{"3"});
}

// A record as the Kinesis Producer Library packs it: keys "a" and "b"; data "one" of a, "two" of b with an explicit
// hash.
std::string Aggregated(std::string message) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EXPECT_EQ(EVP_Digest(message.data(), message.size(), digest, &size, EVP_md5(), nullptr), 1);
  return "\xF3\x89\x9A\xC2" + message + std::string(reinterpret_cast<char*>(digest), size);
}

const std::string kTwoPacked = std::string("\x0a\x01") + "a" + "\x0a\x01" + "b" + "\x12\x02" + "42" +
                               std::string("\x1a\x07\x08\x00\x1a\x03", 6) + "one" +
                               std::string("\x1a\x09\x08\x01\x10\x00\x1a\x03", 8) + "two";

TEST(AggregatedRecordTest, IsTakenApart) {
  const KinesisRecord record{Aggregated(kTwoPacked), "p", "77", 5};
  ASSERT_TRUE(IsAggregatedRecord(record.data));
  std::vector<KinesisRecord> records;
  ASSERT_TRUE(AppendAggregatedRecords(record, KinesisShard{}, &records).ok());
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].data, "one");
  EXPECT_EQ(records[1].data, "two");
  EXPECT_EQ(records[1].partition_key, "b");
  EXPECT_EQ(records[1].sequence_number, "77");
  // The second one's hash is 42, the first one's is far above.
  KinesisShard shard;
  shard.hash_last = 42;
  records.clear();
  ASSERT_TRUE(AppendAggregatedRecords(record, shard, &records).ok());
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].data, "two");
}

TEST(AggregatedRecordTest, WhatIsNoneIsLeftOrRefused) {
  EXPECT_FALSE(IsAggregatedRecord("{\"n\":1}"));
  EXPECT_FALSE(IsAggregatedRecord("\xF3\x89\x9A\xC2"));
  std::string wrong_sum = Aggregated(kTwoPacked);
  wrong_sum.back() = static_cast<char>(wrong_sum.back() ^ 1);
  EXPECT_FALSE(IsAggregatedRecord(wrong_sum));
  std::vector<KinesisRecord> records;
  for (size_t cut = 1; cut < kTwoPacked.size(); ++cut) {
    const KinesisRecord record{Aggregated(kTwoPacked.substr(0, cut)), "p", "77", 5};
    (void)AppendAggregatedRecords(record, KinesisShard{}, &records);
  }
  // A key that is not in the table.
  EXPECT_FALSE(
      AppendAggregatedRecords({Aggregated(std::string("\x1a\x02\x08\x05", 4)), "p", "1", 0}, KinesisShard{}, &records)
          .ok());
  Random random(3);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = kTwoPacked;
    for (uint64_t n = 1 + random.Uniform(4); n > 0; --n)
      bytes[random.Uniform(bytes.size())] = static_cast<char>(random.Next());
    records.clear();
    (void)AppendAggregatedRecords({Aggregated(bytes), "p", "77", 5}, KinesisShard{}, &records);
  }
}

}  // namespace
}  // namespace tidemill
