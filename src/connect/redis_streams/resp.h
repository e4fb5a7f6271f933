#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace tidemill {

// RESP2, the protocol of Redis and its kin (redis.io, "Redis serialization protocol specification").

enum class RespType : uint8_t { kSimple, kError, kInteger, kBulk, kNull, kArray };

// One value of a reply. Values lie in preorder: those of an array follow it, up to `end`.
struct RespNode {
  RespType type = RespType::kNull;
  int64_t number = 0;  // kInteger; kArray: how many values it has
  size_t begin = 0;    // text of kSimple, kError and kBulk
  size_t size = 0;
  uint32_t end = 0;  // the value after it and all that it holds
};

struct RespReply {
  std::string bytes;
  std::vector<RespNode> nodes;  // never empty; the first one is the whole

  std::string_view text(const RespNode& node) const { return std::string_view(bytes).substr(node.begin, node.size); }
  std::string_view text(uint32_t node) const { return text(nodes[node]); }
};

struct RespLimits {
  int64_t reply_bytes_max = 64 << 20;
  int64_t values_max = 4 << 20;  // of one reply
  size_t depth_max = 16;
};

// Takes bytes as they come and gives whole replies. Memory is taken for bytes that came, never for what they announce;
// what is announced beyond the limits is refused at once. After an error the connection is of no use.
class RespReader {
 public:
  explicit RespReader(RespLimits limits = {}) : limits_(limits) {}
  void Append(std::string_view bytes);
  // True when a reply is whole. kLimitExceeded, or kRedisRefused for bytes that are not RESP2.
  Result<bool> Parse();
  // Once it is whole. Bytes after it stay.
  RespReply Take();
  // Once it is whole: looks at its first value and drops it, without a copy. `text` holds until the next call.
  RespNode TakeFirst(std::string_view* text);

 private:
  Result<bool> ParseValue();
  Result<bool> TakeLine(std::string_view* line);
  Status CheckSize(int64_t more) const;
  void Add(RespNode node);
  void DropTaken();

  const RespLimits limits_;
  std::string buffer_;
  size_t start_ = 0;  // of the reply
  size_t at_ = 0;     // parsed so far
  std::vector<RespNode> nodes_;
  struct Open {
    uint32_t node;
    int64_t left;
  };
  std::vector<Open> open_;  // arrays that are not whole
};

// Appends a command: an array of bulk strings.
void AppendRespCommand(std::span<const std::string_view> words, std::string* out);
// Parts of one, for commands put together piece by piece.
void AppendRespArrayHeader(size_t count, std::string* out);
void AppendRespBulk(std::string_view text, std::string* out);

}  // namespace tidemill
