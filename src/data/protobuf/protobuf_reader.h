#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "data/internal/message_refusal.h"
#include "data/protobuf/protobuf_read_plan.h"

namespace tidemill {

// Reads messages of a plan's schema into its columns. Not thread-safe. Lengths are checked against the bytes that are
// there before anything grows; one message has at most kEntriesMax entries of lists and maps, and groups that are
// skipped kGroupsMax in each other.
class ProtobufReader {
 public:
  static constexpr int64_t kEntriesMax = 1'000'000;
  static constexpr int kGroupsMax = 100;

  // `ignore_parse_errors`: what does not fit a column that can be NULL is NULL.
  explicit ProtobufReader(bool ignore_parse_errors) : ignore_parse_errors_(ignore_parse_errors) {}

  // False with refusal() set when the bytes are no such message; `row` can then be used again. The columns have room
  // for it. An error is our own: memory.
  Result<bool> ReadRow(const ProtobufReadPlan& plan, std::string_view bytes, int64_t row);
  const MessageRefusal& refusal() const { return refusal_; }

 private:
  // The fields of a message up to `end`, which may come in several parts.
  bool ReadFields(const ProtobufReadMessage& message, const uint8_t* end, int64_t row);
  // What did not come, and how long lists are.
  bool FinishFields(const ProtobufReadMessage& message, int64_t row);
  bool FinishAbsent(const ProtobufReadField& field, int64_t row);
  void ResetFields(const ProtobufReadMessage& message);
  bool ReadField(uint32_t number, uint32_t tag, const uint8_t* end, int64_t row);
  bool ReadPacked(uint32_t number, const uint8_t* end, int64_t row);
  bool ReadEntry(uint32_t number, const uint8_t* end, int64_t row);
  // One value at at_, which is after it when this returns true.
  bool ReadValue(uint32_t number, const uint8_t* end, int64_t row);
  bool ReadNumber(const ProtobufReadField& field, const uint8_t* end, int64_t row);
  bool StoreInteger(const ProtobufReadField& field, int64_t value, bool is_unsigned, int64_t row);
  bool StoreText(const ProtobufReadField& field, std::string_view text, int64_t row);
  bool StoreSymbol(const ProtobufReadField& field, uint32_t number, int32_t symbol, int64_t row);
  bool ReadRowValue(const ProtobufReadField& field, uint32_t number, const uint8_t* end, int64_t row);
  bool ReadWrapper(const ProtobufReadField& field, std::string_view bytes, int64_t row);
  bool ReadKnown(const ProtobufReadField& field, std::string_view bytes, int64_t row);
  bool StoreTime(const ProtobufReadField& field, const int64_t (&parts)[5], int64_t row);
  bool StoreDecimal(const ProtobufReadField& field, std::string_view bytes, int64_t scale, int64_t row);
  bool Skip(uint32_t tag, const uint8_t* end);

  bool ReadBytes(const uint8_t* end, std::string_view& bytes);
  bool Fail(const ProtobufReadField& field, RejectReason reason, std::string detail);
  bool OutOfRange(const ProtobufReadField& field, const std::string& value);
  bool Malformed();

  const bool ignore_parse_errors_;
  const ProtobufReadPlan* plan_ = nullptr;
  const uint8_t* at_ = nullptr;
  std::vector<int64_t> came_;  // of each field of the plan: whether, or how many
  int64_t entries_ = 0;
  MessageRefusal refusal_;
  Status fatal_;
};

}  // namespace tidemill
