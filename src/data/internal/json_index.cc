#include "data/internal/json_index.h"

#include <algorithm>

#include <simdjson.h>

#include "base/status.h"

namespace tidemill {

struct JsonIndex::Parser {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> stages;
};

JsonIndex::JsonIndex() : parser_(std::make_unique<Parser>()) {
  const auto error =
      simdjson::get_active_implementation()->create_dom_parser_implementation(1 << 16, 1, parser_->stages);
  TM_CHECK(error == simdjson::SUCCESS);
}

JsonIndex::~JsonIndex() = default;

JsonIndex::Outcome JsonIndex::Build(std::string_view text) {
  auto& stages = *parser_->stages;
  size_ = 0;
  if (text.empty()) return Outcome::kEmpty;
  if (text.size() >= UINT32_MAX) return Outcome::kTooLarge;
  if (text.size() > stages.capacity()) {
    const size_t capacity = std::max(text.size(), stages.capacity() * 2);
    if (stages.allocate(std::min<size_t>(capacity, UINT32_MAX - 1), 1) != simdjson::SUCCESS) return Outcome::kTooLarge;
  }
  const auto error =
      stages.stage1(reinterpret_cast<const uint8_t*>(text.data()), text.size(), simdjson::stage1_mode::regular);
  switch (error) {
    case simdjson::SUCCESS:
      break;
    case simdjson::EMPTY:
      return Outcome::kEmpty;
    case simdjson::UTF8_ERROR:
      return Outcome::kInvalidUtf8;
    case simdjson::UNESCAPED_CHARS:
      return Outcome::kControlCharacter;
    case simdjson::CAPACITY:
    case simdjson::MEMALLOC:
      return Outcome::kTooLarge;
    default:
      return Outcome::kUnclosedString;
  }
  size_ = stages.n_structural_indexes;
  std::fill_n(stages.structural_indexes.get() + size_, 9, UINT32_MAX);  // simdjson allocates room for 9 more
  positions_ = stages.structural_indexes.get();
  return Outcome::kOk;
}

}  // namespace tidemill
