#include "connect/kafka/kafka_places.h"

#include "connect/errors.h"

namespace tidemill {
namespace {

using Offsets = std::map<KafkaPartition, int64_t>;

std::vector<KafkaPartition> Missing(const std::vector<KafkaPartition>& partitions, const Offsets& offsets) {
  std::vector<KafkaPartition> missing;
  for (const KafkaPartition& partition : partitions) {
    if (!offsets.contains(partition)) missing.push_back(partition);
  }
  return missing;
}

Status AddOffsetsForTime(KafkaClient& client, const std::vector<KafkaPartition>& partitions, int64_t time,
                         Offsets* offsets) {
  TM_ASSIGN_OR_RETURN(const Offsets found, client.OffsetsForTime(partitions, time));
  for (const auto& [partition, offset] : found) {
    if (offset >= 0) (*offsets)[partition] = offset;
  }
  return Status::OK();
}

// The group's offsets, and for the partitions it has none for what `offset_reset` says.
Status AddCommitted(KafkaClient& client, const std::vector<KafkaPartition>& partitions, bool is_end,
                    const std::string& offset_reset, Offsets* offsets) {
  TM_ASSIGN_OR_RETURN(const Offsets committed, client.Committed(partitions));
  for (const auto& [partition, offset] : committed) (*offsets)[partition] = offset;
  const std::vector<KafkaPartition> missing = Missing(partitions, *offsets);
  if (missing.empty()) return Status::OK();
  if (is_end || offset_reset == "none") {
    return Status(kKafkaRecordsGone, "the group has no committed offset for " + missing[0].ToString() +
                                         (is_end ? ", at which reading could end" : ", at which reading could begin"));
  }
  const int64_t time = offset_reset == "latest" ? KafkaClient::kLatest : KafkaClient::kEarliest;
  return AddOffsetsForTime(client, missing, time, offsets);
}

}  // namespace

Result<Offsets> ResolveKafkaPlace(KafkaClient& client, const KafkaPlace& place, bool is_end,
                                  const std::string& offset_reset, const std::vector<KafkaPartition>& partitions) {
  Offsets offsets;
  switch (place.kind) {
    case KafkaPlace::Kind::kEarliest:
      TM_RETURN_IF_ERROR(AddOffsetsForTime(client, partitions, KafkaClient::kEarliest, &offsets));
      break;
    case KafkaPlace::Kind::kLatest:
      TM_RETURN_IF_ERROR(AddOffsetsForTime(client, partitions, KafkaClient::kLatest, &offsets));
      break;
    case KafkaPlace::Kind::kGroupOffsets:
      TM_RETURN_IF_ERROR(AddCommitted(client, partitions, is_end, offset_reset, &offsets));
      break;
    case KafkaPlace::Kind::kTimestamp: {
      TM_RETURN_IF_ERROR(AddOffsetsForTime(client, partitions, place.timestamp_ms, &offsets));
      // Nothing as young as that: the end.
      TM_RETURN_IF_ERROR(AddOffsetsForTime(client, Missing(partitions, offsets), KafkaClient::kLatest, &offsets));
      break;
    }
    case KafkaPlace::Kind::kSpecific: {
      std::vector<KafkaPartition> unnamed;
      for (const KafkaPartition& partition : partitions) {
        const auto named = place.offsets.find(partition.partition);
        if (named == place.offsets.end()) {
          unnamed.push_back(partition);
        } else {
          offsets[partition] = named->second;
        }
      }
      if (offsets.size() != place.offsets.size()) {
        return Status(kKafkaUnknownTopic, "the specific offsets name a partition that the topic does not have");
      }
      if (is_end && !unnamed.empty()) {
        return Status(kInvalidConfig, "the specific offsets say no end for " + unnamed[0].ToString());
      }
      TM_RETURN_IF_ERROR(AddCommitted(client, unnamed, is_end, offset_reset, &offsets));
      break;
    }
    case KafkaPlace::Kind::kNever:
      return Status(kInternalError, "no place to ask for");
  }
  const std::vector<KafkaPartition> missing = Missing(partitions, offsets);
  if (!missing.empty()) return Status(kKafkaRefused, "Kafka gave no offset for " + missing[0].ToString());
  return offsets;
}

}  // namespace tidemill
