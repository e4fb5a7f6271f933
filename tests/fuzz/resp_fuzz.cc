// Answers of a Redis server in any bytes, cut anywhere: the first byte says how long the pieces are. The same values
// come out, or an error, as when they come at once; what looks like entries or XINFO can be walked.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "connect/redis_streams/redis_rows.h"
#include "connect/redis_streams/resp.h"
#include "connect/redis_streams/stream_follower.h"

namespace {

using namespace tidemill;

constexpr RespLimits kLimits{.reply_bytes_max = 1 << 16, .values_max = 4096, .depth_max = 16};

void Walk(const RespReply& reply) {
  for (uint32_t node = 0; node < reply.nodes.size(); ++node) {
    const RespNode& value = reply.nodes[node];
    if (value.end <= node || value.end > reply.nodes.size()) std::abort();
    if (value.begin + value.size > reply.bytes.size()) std::abort();
  }
  if (const auto entries = StreamEntriesOf(reply, 0); entries.ok()) {
    for (const StreamEntry& entry : *entries) {
      for (uint32_t at = entry.first; at < entry.last; ++at) (void)reply.text(at).size();
    }
  }
  if (reply.nodes[0].type != RespType::kArray) return;
  StreamPosition position{.last = {5, 0}, .ordinal = 5};
  if (const auto info = StreamInfoOf(reply, 0); info.ok()) (void)CheckStreamPosition("s", *info, 3, &position);
}

std::string Run(std::string_view bytes, size_t piece) {
  RespReader reader(kLimits);
  std::string seen;
  while (!bytes.empty()) {
    reader.Append(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
    while (true) {
      const auto whole = reader.Parse();
      if (!whole.ok()) return seen + "!";
      if (!*whole) break;
      const RespReply reply = reader.Take();
      Walk(reply);
      for (const RespNode& node : reply.nodes)
        seen += std::to_string(static_cast<int>(node.type)) + ":" + std::to_string(node.number) +
                std::string(reply.text(node)) + ";";
    }
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string whole = Run(bytes, bytes.size() + 1);
  if (Run(bytes, 1 + data[0] % 32) != whole) std::abort();
  return 0;
}
