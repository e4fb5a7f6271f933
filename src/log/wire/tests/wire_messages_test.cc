// Every message in every version: what is encoded decodes to the same, and no damage does harm.
#include <string>

#include <gtest/gtest.h>

#include "log/errors.h"
#include "log/wire/api.h"
#include "log/wire/messages/api_versions.h"
#include "log/wire/messages/fetch.h"
#include "log/wire/messages/message_header.h"
#include "log/wire/messages/metadata.h"
#include "log/wire/messages/produce.h"
#include "log/wire/tests/any_message.h"

namespace tidemill::testing {
namespace {

// Memory for one byte of input, at most: the largest element over its least size, times the depth of nesting.
constexpr size_t kHeldPerByteMax = 256;

std::string EncodeAny(const AnyMessage& message, int16_t version) {
  std::string bytes;
  WireWriter writer(&bytes);
  message.Encode(writer, version);
  EXPECT_TRUE(writer.status().ok()) << message.name() << " v" << version << ": " << writer.status().ToString();
  return bytes;
}

template <typename Visit>
void ForEveryVersion(Visit visit) {
  Random random(20261121);
  for (const auto& type : AllMessages()) {
    for (int16_t version = type->min_version(); version <= type->max_version(); ++version) {
      SCOPED_TRACE(std::string(type->name()) + " v" + std::to_string(version));
      visit(*type, version, random);
      if (::testing::Test::HasFailure()) return;
    }
  }
}

TEST(WireMessages, RandomOnesSurviveTheWay) {
  ForEveryVersion([](const AnyMessage& type, int16_t version, Random& random) {
    for (int i = 0; i < 20; ++i) {
      const auto message = type.Fresh();
      message->Fill(random, version);
      const std::string bytes = EncodeAny(*message, version);
      const auto decoded = type.Fresh();
      WireReader reader(bytes);
      const Status status = decoded->Decode(reader, version);
      ASSERT_TRUE(status.ok()) << status.ToString();
      EXPECT_EQ(reader.remaining(), 0u);
      ASSERT_TRUE(decoded->Equals(*message)) << message->Json(version) << "\n" << decoded->Json(version);
    }
  });
}

TEST(WireMessages, EveryTruncationIsAnError) {
  ForEveryVersion([](const AnyMessage& type, int16_t version, Random& random) {
    const auto message = type.Fresh();
    message->Fill(random, version);
    const std::string bytes = EncodeAny(*message, version);
    for (size_t size = 0; size < bytes.size(); ++size) {
      const std::string cut = bytes.substr(0, size);  // its own memory, so that the sanitizer sees a read past it
      const auto decoded = type.Fresh();
      WireReader reader(cut);
      const Status status = decoded->Decode(reader, version);
      ASSERT_TRUE(status.Is(kMalformedMessage)) << size << " of " << bytes.size() << " bytes";
    }
  });
}

TEST(WireMessages, DamageIsHarmlessAndMemoryStaysInProportion) {
  ForEveryVersion([](const AnyMessage& type, int16_t version, Random& random) {
    const auto message = type.Fresh();
    message->Fill(random, version);
    const std::string bytes = EncodeAny(*message, version);
    for (int i = 0; i < 200 && !bytes.empty(); ++i) {
      std::string damaged = bytes;
      for (uint64_t flips = 1 + random.Uniform(3); flips > 0; --flips) {
        damaged[random.Uniform(damaged.size())] ^= static_cast<char>(1 << random.Uniform(8));
      }
      const auto decoded = type.Fresh();
      WireReader reader(damaged);
      decoded->Read(reader, version);
      ASSERT_LE(decoded->HeldBytes(), damaged.size() * kHeldPerByteMax);
      if (!reader.ok()) continue;
      // What could be read can be written, and reads as the same.
      const std::string again = EncodeAny(*decoded, version);
      const auto second = type.Fresh();
      WireReader second_reader(again);
      ASSERT_TRUE(second->Decode(second_reader, version).ok());
      ASSERT_TRUE(second->Equals(*decoded));
    }
  });
}

TEST(WireMessages, HugeCountsTakeNoMemory) {
  ForEveryVersion([](const AnyMessage& type, int16_t version, Random&) {
    // As counts and lengths: 2^31-1, and 2^32-2 or 2^28-1 in compact form.
    for (const std::string& piece : {std::string("\x7f\xff\xff\xff", 4), std::string("\xff\xff\xff\xff\x0f", 5),
                                     std::string("\xff\xff\xff\x7f", 4), std::string("\x00\x00\x00\x10", 4)}) {
      for (size_t before = 0; before < 24; ++before) {
        std::string bytes(before, '\0');
        while (bytes.size() < 100) bytes += piece;
        const auto decoded = type.Fresh();
        WireReader reader(bytes);
        decoded->Read(reader, version);
        ASSERT_LE(decoded->HeldBytes(), bytes.size() * kHeldPerByteMax);
      }
    }
  });
}

TEST(WireMessages, UnknownTagsAreSkipped) {
  wire::MetadataRequest request;
  request.topics.emplace(1).front().name = "payments";
  std::string bytes;
  WireWriter writer(&bytes);
  request.Encode(writer, 12);
  ASSERT_EQ(bytes.back(), '\0');  // no tagged fields
  bytes.back() = 2;
  bytes += std::string(
      "\x05\x03"
      "abc"
      "\x83\x01\x00",
      8);  // tag 5 with three bytes, tag 131 with none
  WireReader reader(bytes);
  auto decoded = wire::MetadataRequest::Decode(reader, 12);
  ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
  EXPECT_EQ(*decoded, request);
  EXPECT_EQ(reader.remaining(), 0u);
}

TEST(WireMessages, KnownTagHasToFillItsSize) {
  wire::FetchRequest request;
  request.cluster_id = "abc";
  std::string bytes;
  WireWriter writer(&bytes);
  request.Encode(writer, 12);
  const size_t size_at = bytes.find(
                             "\x04"
                             "abc") -
                         1;
  ASSERT_EQ(bytes[size_at], 4);
  bytes[size_at] = 5;
  bytes.insert(size_at + 5, 1, 'x');
  WireReader reader(bytes);
  const auto decoded = wire::FetchRequest::Decode(reader, 12);
  ASSERT_TRUE(decoded.status().Is(kMalformedMessage));
  EXPECT_NE(decoded.status().message().find("bytes left over in tagged field"), std::string::npos);
}

TEST(WireMessages, ErrorNamesMessageFieldAndOffset) {
  wire::MetadataRequest request;
  request.topics.emplace(1).front().name = "payments";
  std::string bytes;
  WireWriter writer(&bytes);
  request.Encode(writer, 1);
  bytes.resize(8);
  WireReader reader(bytes);
  EXPECT_EQ(wire::MetadataRequest::Decode(reader, 1).status().message(), "MetadataRequest: ends inside name at byte 6");
}

TEST(WireMessages, VersionOutsideTheRangeIsRefused) {
  WireReader reader("");
  EXPECT_TRUE(wire::ProduceRequest::Decode(reader, 2).status().Is(kUnsupportedMessageVersion));
  EXPECT_TRUE(wire::ProduceRequest::Decode(reader, 14).status().Is(kUnsupportedMessageVersion));
  std::string bytes;
  WireWriter writer(&bytes);
  wire::ProduceRequest().Encode(writer, 2);
  EXPECT_TRUE(writer.status().Is(kUnencodableMessage));
}

TEST(WireMessages, WhatAVersionCannotSayIsAnErrorOfTheWriter) {
  std::string bytes;
  WireWriter no_place(&bytes);
  wire::FetchRequest request;
  request.forgotten_topics_data.emplace_back();  // since version 7
  request.Encode(no_place, 6);
  EXPECT_EQ(no_place.status().message(), "forgotten_topics_data: has no place in this version");

  WireWriter no_null(&bytes);
  wire::MetadataRequest metadata;
  metadata.topics.reset();  // null since version 1
  metadata.Encode(no_null, 0);
  EXPECT_TRUE(no_null.status().Is(kUnencodableMessage));

  WireWriter ignored(&bytes);
  wire::ApiVersionsResponse versions;
  versions.throttle_time_ms = 5;  // since version 1, may be left out
  versions.Encode(ignored, 0);
  EXPECT_TRUE(ignored.status().ok());
}

TEST(WireMessages, RecordsCanStayOutsideOfTheBytes) {
  wire::FetchResponse response;
  auto& topic = response.responses.emplace_back();
  topic.topic = "t";
  const std::string records[] = {"first batch", "second"};
  for (const std::string& batch : records) topic.partitions.emplace_back().records = batch;
  std::string whole, head;
  std::vector<ExternalRecords> external;
  WireWriter plain(&whole), split(&head, &external);
  response.Encode(plain, 12);
  response.Encode(split, 12);
  ASSERT_EQ(external.size(), 2u);
  for (size_t i = 2; i-- > 0;) {
    EXPECT_EQ(external[i].bytes.data(), records[i].data());
    head.insert(external[i].position, external[i].bytes);
  }
  EXPECT_EQ(head, whole);
}

TEST(WireMessages, HeaderVersions) {
  const auto* produce = wire::FindApi(wire::ProduceRequest::kApiKey);
  ASSERT_NE(produce, nullptr);
  EXPECT_EQ(produce->name, "Produce");
  EXPECT_EQ(wire::RequestHeaderVersion(*produce, 8), 1);
  EXPECT_EQ(wire::RequestHeaderVersion(*produce, 9), 2);
  EXPECT_EQ(wire::ResponseHeaderVersion(*produce, 8), 0);
  EXPECT_EQ(wire::ResponseHeaderVersion(*produce, 9), 1);
  const auto* versions = wire::FindApi(18);
  ASSERT_NE(versions, nullptr);
  EXPECT_EQ(wire::RequestHeaderVersion(*versions, 3), 2);
  EXPECT_EQ(wire::ResponseHeaderVersion(*versions, 3), 0);
  EXPECT_EQ(wire::FindApi(-1), nullptr);
  EXPECT_EQ(wire::FindApi(4), nullptr);
  EXPECT_EQ(wire::FindApi(9999), nullptr);

  // The client id keeps its two-byte length in version 2.
  std::string bytes;
  WireWriter writer(&bytes);
  wire::RequestHeader header;
  header.client_id = "x";
  header.Encode(writer, 2);
  EXPECT_EQ(bytes, std::string("\0\0\0\0\0\0\0\0\0\1x\0", 12));
}

}  // namespace
}  // namespace tidemill::testing
