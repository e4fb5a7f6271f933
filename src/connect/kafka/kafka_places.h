#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "connect/kafka/kafka_client.h"
#include "connect/kafka/kafka_options.h"

namespace tidemill {

// Asks the cluster where reading of each partition begins (`is_end` false) or ends by `place`. `offset_reset` says what
// happens where the group has no offset: "none" is an error, "latest", else the earliest. Blocks.
Result<std::map<KafkaPartition, int64_t>> ResolveKafkaPlace(KafkaClient& client, const KafkaPlace& place, bool is_end,
                                                            const std::string& offset_reset,
                                                            const std::vector<KafkaPartition>& partitions);

}  // namespace tidemill
