#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "connect/kinesis/kinesis_client.h"

namespace tidemill {

// Records that the Kinesis Producer Library has packed into one ("KPL aggregated record format": four magic bytes, a
// Protocol Buffers message, its MD5).

// True by the magic bytes and the checksum.
bool IsAggregatedRecord(std::string_view data);
// The records in it whose hash key lies in the shard's range; the producer sends others again to where they belong. All
// have the sequence number and the time of the whole. kCorruption.
Status AppendAggregatedRecords(const KinesisRecord& record, const KinesisShard& shard, std::vector<KinesisRecord>* out);

}  // namespace tidemill
