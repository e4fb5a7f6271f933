#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "log/topic_config.h"

namespace tidemill {

// The codecs of record batches, in the framing that Kafka clients use: gzip streams, snappy raw or in xerial blocks,
// lz4 frames, zstd frames.

// Appends the compressed bytes to `out`. none, gzip, snappy, lz4 and zstd.
Status Compress(CompressionCodec codec, std::string_view bytes, std::string* out);
// Replaces `out`. kInvalidBatch for damaged input, kLimitExceeded above `bytes_max` (checked before memory is taken).
Status Decompress(CompressionCodec codec, std::string_view bytes, int64_t bytes_max, std::string* out);
std::string_view CodecName(CompressionCodec codec);

}  // namespace tidemill
