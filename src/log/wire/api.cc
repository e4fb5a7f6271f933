#include "log/wire/api.h"

#include <algorithm>

#include <fmt/format.h>

#include "log/errors.h"
#include "log/wire/messages/api_table.h"
#include "log/wire/messages/api_versions.h"

namespace tidemill::wire {

std::span<const ApiInfo> Apis() { return kApis; }

const ApiInfo* FindApi(int16_t key) {
  const auto* found = std::ranges::lower_bound(kApis, key, {}, &ApiInfo::key);
  return found != std::end(kApis) && found->key == key ? found : nullptr;
}

int16_t RequestHeaderVersion(const ApiInfo& api, int16_t version) {
  return version >= api.first_flexible_version ? 2 : 1;
}

int16_t ResponseHeaderVersion(const ApiInfo& api, int16_t version) {
  if (api.key == ApiVersionsRequest::kApiKey) return 0;
  return version >= api.first_flexible_version ? 1 : 0;
}

Status CheckMessageVersion(std::string_view message, int16_t version, int16_t min_version, int16_t max_version) {
  if (version >= min_version && version <= max_version) return Status::OK();
  return {kUnsupportedMessageVersion,
          fmt::format("{} version {}, known are {} to {}", message, version, min_version, max_version)};
}

}  // namespace tidemill::wire
