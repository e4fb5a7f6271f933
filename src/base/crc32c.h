#pragma once

#include <cstdint>
#include <string_view>

namespace tidemill {

// CRC-32C (Castagnoli, RFC 3720), the checksum of Kafka's record batches and of our own files. `crc` continues an
// earlier result. Uses the processor's instruction where there is one.
uint32_t Crc32c(std::string_view bytes, uint32_t crc = 0);

// The portable way of the same, for processors without the instruction and for tests.
uint32_t Crc32cPortable(std::string_view bytes, uint32_t crc = 0);

}  // namespace tidemill
