#pragma once

#include <charconv>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/errors.h"
#include "base/status.h"

namespace tidemill {

// The id of an entry of a Redis stream: milliseconds since 1970 and a number within them. Ids only grow.
struct StreamId {
  uint64_t ms = 0;
  uint64_t sequence = 0;
  auto operator<=>(const StreamId&) const = default;

  // "1526919030474-55", or "1526919030474" for the first one of that millisecond.
  static std::optional<StreamId> Parse(std::string_view text) {
    StreamId id;
    const char* last = text.data() + text.size();
    auto [rest, error] = std::from_chars(text.data(), last, id.ms);
    if (error != std::errc()) return std::nullopt;
    if (rest == last) return id;
    if (*rest != '-') return std::nullopt;
    const auto end = std::from_chars(rest + 1, last, id.sequence);
    if (end.ec != std::errc() || end.ptr != last) return std::nullopt;
    return id;
  }
  std::string ToText() const { return std::to_string(ms) + "-" + std::to_string(sequence); }
  bool is_zero() const { return ms == 0 && sequence == 0; }
  StreamId Next() const { return sequence == UINT64_MAX ? StreamId{ms + 1, 0} : StreamId{ms, sequence + 1}; }
  StreamId Previous() const {
    if (sequence > 0) return {ms, sequence - 1};
    return ms > 0 ? StreamId{ms - 1, UINT64_MAX} : StreamId{};
  }
};

// How far a stream was read.
struct StreamPosition {
  StreamId last;  // read, or (with `chosen`) before what is to be read first
  // Entries that were ever added to the stream up to and with `last`; -1 = unknown. By it entries that are gone from
  // the stream are told from those that were read.
  int64_t ordinal = -1;
  bool chosen = false;          // nothing was read: a time or an id said where to begin
  std::optional<StreamId> end;  // bounded: before this id

  // "<last>[@<ordinal>][?][/<end>]"
  std::string ToText() const {
    std::string text = last.ToText();
    if (ordinal >= 0) text += "@" + std::to_string(ordinal);
    if (chosen) text += "?";
    if (end) text += "/" + end->ToText();
    return text;
  }
  static Result<StreamPosition> Parse(std::string_view text) {
    const Status bad(kInternalError, "bad position '" + std::string(text) + "' of a stream");
    StreamPosition position;
    if (const size_t slash = text.find('/'); slash != std::string_view::npos) {
      position.end = StreamId::Parse(text.substr(slash + 1));
      if (!position.end) return bad;
      text = text.substr(0, slash);
    }
    if (text.ends_with('?')) {
      position.chosen = true;
      text.remove_suffix(1);
    }
    if (const size_t at = text.find('@'); at != std::string_view::npos) {
      const std::string_view digits = text.substr(at + 1);
      const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), position.ordinal);
      if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size() || position.ordinal < 0) return bad;
      text = text.substr(0, at);
    }
    const auto last = StreamId::Parse(text);
    if (!last) return bad;
    position.last = *last;
    return position;
  }
  bool ended() const { return end.has_value() && last.Next() >= *end; }
};

}  // namespace tidemill
