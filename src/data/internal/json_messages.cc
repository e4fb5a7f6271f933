#include "data/internal/json_messages.h"

namespace tidemill {

std::string_view JsonMessages::TakeSegment(size_t& next) {
  messages_.clear();
  const std::string_view start = input_[next].bytes;
  const auto fits = [this](size_t i, size_t taken) {
    return i < input_.size() && taken + input_[i].bytes.size() < kSegmentBytes &&
           static_cast<int64_t>(input_[i].bytes.size()) <= bytes_max_;
  };
  const size_t first = next++;
  if (next < input_.size() && Adjacent(start, input_[next].bytes)) {
    messages_.push_back({0, static_cast<uint32_t>(start.size())});
    while (fits(next, messages_.back().end) && Adjacent(input_[next - 1].bytes, input_[next].bytes)) {
      const uint32_t begin = static_cast<uint32_t>(input_[next].bytes.data() - start.data());
      messages_.push_back({begin, begin + static_cast<uint32_t>(input_[next].bytes.size())});
      ++next;
    }
    return {start.data(), messages_.back().end};
  }
  if (start.size() > kCopyBytesMax) {
    messages_.push_back({0, static_cast<uint32_t>(start.size())});
    return start;
  }
  copy_.clear();
  next = first;
  do {
    const uint32_t begin = static_cast<uint32_t>(copy_.size());
    copy_ += input_[next].bytes;
    messages_.push_back({begin, static_cast<uint32_t>(copy_.size())});
    copy_ += '\n';
    ++next;
  } while (fits(next, copy_.size()) && input_[next].bytes.size() <= kCopyBytesMax);
  return copy_;
}

JsonError JsonMessages::TooLarge(size_t bytes) const {
  return {RejectReason::kTooLarge, "",
          "the message has " + std::to_string(bytes) + " bytes, more than " + std::to_string(bytes_max_) +
              " ('json.message-bytes-max')"};
}

JsonError JsonMessages::Unreadable(JsonIndex::Outcome outcome) {
  switch (outcome) {
    case JsonIndex::Outcome::kEmpty:
      return {RejectReason::kMalformed, "", "the message is empty"};
    case JsonIndex::Outcome::kInvalidUtf8:
      return {RejectReason::kInvalidUtf8, "", "the message is not valid UTF-8"};
    case JsonIndex::Outcome::kControlCharacter:
      return {RejectReason::kMalformed, "", "a string has an unescaped control character"};
    case JsonIndex::Outcome::kUnclosedString:
      return {RejectReason::kMalformed, "", "a string is not closed"};
    default:
      return {RejectReason::kTooLarge, "", "the message is too large to index"};
  }
}

}  // namespace tidemill
