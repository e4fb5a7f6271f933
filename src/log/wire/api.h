#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/status.h"

namespace tidemill::wire {

// One API of the Kafka protocol, with the versions of it that we can decode and encode.
struct ApiInfo {
  int16_t key;
  int16_t min_version;
  int16_t max_version;
  int16_t first_flexible_version;  // 32767 when there is none
  std::string_view name;           // Kafka's, e.g. "Produce"
};

// Every API there are codecs for, by key.
std::span<const ApiInfo> Apis();
// Null when there is none with this key.
const ApiInfo* FindApi(int16_t key);

// The version of RequestHeader before a request, and of ResponseHeader before its answer. The answer to ApiVersions has
// header version 0 always, since the client does not know yet what the server speaks (KIP-511); its request of a
// version that we do not know is answered in version 0. `api` is one of Apis().
int16_t RequestHeaderVersion(const ApiInfo& api, int16_t version);
int16_t ResponseHeaderVersion(const ApiInfo& api, int16_t version);

// OK, or kUnsupportedMessageVersion.
Status CheckMessageVersion(std::string_view message, int16_t version, int16_t min_version, int16_t max_version);

}  // namespace tidemill::wire
