#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "data/format.h"
#include "data/internal/json_index.h"
#include "data/internal/json_reader.h"

namespace tidemill {

// JSON messages, one after the other, with their structural index. Method: messages are taken together in segments of
// some 64 KiB, so that the index is built once for many; a segment in which that fails is taken again message by
// message, so one bad message never costs another.
class JsonMessages {
 public:
  // Of `handler`: SetText(text, positions) for each segment; Result<bool> ReadMessage(size_t& at, uint32_t end, size_t
  // message) for each message, false = what follows in it is skipped; Refuse(message, const JsonError&) for those that
  // are no JSON or too large.
  template <typename Handler>
  Status ForEach(std::span<const EncodedRow> input, int64_t message_bytes_max, Handler& handler) {
    input_ = input;
    bytes_max_ = message_bytes_max;
    size_t at = 0;
    while (at < input.size()) {
      if (static_cast<int64_t>(input[at].bytes.size()) > bytes_max_) {
        handler.Refuse(at, TooLarge(input[at].bytes.size()));
        ++at;
        continue;
      }
      const size_t first = at;
      const std::string_view text = TakeSegment(at);
      TM_RETURN_IF_ERROR(ReadText(text, messages_, first, handler));
    }
    return Status::OK();
  }

 private:
  static constexpr size_t kSegmentBytes = 64 << 10;
  static constexpr size_t kCopyBytesMax = 16 << 10;  // a larger message is a segment of its own, not copied

  struct Message {
    uint32_t begin;
    uint32_t end;
  };

  // Whether `next` follows `row` in the same memory with nothing but a line end between.
  static bool Adjacent(std::string_view row, std::string_view next) {
    const char* const end = row.data() + row.size();
    return (next.data() == end + 1 && *end == '\n') || (next.data() == end + 2 && end[0] == '\r' && end[1] == '\n');
  }
  JsonError TooLarge(size_t bytes) const;
  static JsonError Unreadable(JsonIndex::Outcome outcome);
  // Puts some messages from `next` on into messages_ and moves it behind them; their text.
  std::string_view TakeSegment(size_t& next);

  template <typename Handler>
  Status ReadText(std::string_view text, std::span<const Message> messages, size_t first, Handler& handler) {
    const JsonIndex::Outcome outcome = index_.Build(text);
    if (outcome != JsonIndex::Outcome::kOk) {
      if (messages.size() == 1) {
        handler.Refuse(first, Unreadable(outcome));
        return Status::OK();
      }
      for (size_t m = 0; m < messages.size(); ++m) {
        const Message whole{0, messages[m].end - messages[m].begin};
        TM_RETURN_IF_ERROR(ReadText(text.substr(messages[m].begin, whole.end), {&whole, 1}, first + m, handler));
      }
      return Status::OK();
    }
    const uint32_t* positions = index_.positions();
    handler.SetText(text, positions);
    size_t at = 0;
    for (size_t m = 0; m < messages.size(); ++m) {
      while (positions[at] < messages[m].begin) ++at;
      const size_t message_at = at;
      TM_ASSIGN_OR_RETURN(const bool good, handler.ReadMessage(at, messages[m].end, first + m));
      if (!good) at = message_at;  // the next turn skips what is left of this message
    }
    return Status::OK();
  }

  JsonIndex index_;
  std::span<const EncodedRow> input_;
  int64_t bytes_max_ = 0;
  std::vector<Message> messages_;
  std::string copy_;
};

}  // namespace tidemill
