#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <arrow/record_batch.h>
#include <fmt/format.h>

#include "data/errors.h"
#include "data/format.h"
#include "data/internal/column_writer.h"
#include "data/internal/confluent_header.h"
#include "data/internal/message_refusal.h"

namespace tidemill {

// Decodes messages by their writer's schema, which they name in a header or which is one for all. `Messages` is a
// language of schemas:
//   using Plan                        reads messages of one writer's schema into columns
//   bool HeaderEnd(message, &end)     where the header ends that begins with the id; false with a refusal()
//   Result<Plan> MakePlan(id, header, schema, columns, &refused)
//                                     or why no message of that schema can be read; an error is our own
//   Result<bool> ReadRow(plan, bytes, row)
//                                     false with a refusal(); an error is our own
//   const MessageRefusal& refusal()
template <typename Messages>
class MessageDecoder final : public RowDecoder {
 public:
  using Plan = typename Messages::Plan;

  // `schemas` may be null when UsePlan is called.
  MessageDecoder(const Schema& schema, std::shared_ptr<SchemaSource> schemas, int64_t message_bytes_max,
                 Messages messages)
      : schema_(schema),
        schemas_(std::move(schemas)),
        message_bytes_max_(message_bytes_max),
        messages_(std::move(messages)) {
    columns_.reserve(static_cast<size_t>(schema_.num_fields()));
    for (const Field& field : schema_.fields()) columns_.emplace_back(field.type);
  }

  std::vector<ColumnWriter>& columns() { return columns_; }
  // All messages are read by it and have no header.
  void UsePlan(Plan plan) { fixed_ = std::make_unique<Writer>(Writer{std::move(plan), {}}); }

  Result<Output> Decode(std::span<const EncodedRow> input, RejectSink& rejects) override {
    rejects_ = &rejects;
    unknown_ids_.clear();
    for (ColumnWriter& column : columns_) TM_RETURN_IF_ERROR(column.Reserve(static_cast<int64_t>(input.size())));
    Output output;
    output.input_index.reserve(input.size());
    int64_t rows = 0;
    for (size_t i = 0; i < input.size(); ++i) {
      TM_ASSIGN_OR_RETURN(const bool good, DecodeMessage(input[i], rows));
      if (!good) continue;
      output.input_index.push_back(static_cast<int32_t>(i));
      ++rows;
    }
    arrow::ArrayVector arrays;
    for (ColumnWriter& column : columns_) {
      TM_ASSIGN_OR_RETURN(auto array, column.Finish(rows));
      arrays.push_back(std::move(array));
    }
    output.rows = arrow::RecordBatch::Make(schema_.arrow(), rows, std::move(arrays));
    return output;
  }

 private:
  // Writers that are kept ready; more, and they are made anew.
  static constexpr size_t kWritersMax = 1'000;
  static constexpr size_t kRejectRawBytesMax = 64 << 10;

  // A writer's schema, made ready for the columns; or why its messages are refused.
  struct Writer {
    Plan plan;
    std::string refused;
  };

  Result<bool> DecodeMessage(const EncodedRow& message, int64_t row) {
    std::string_view bytes = message.bytes;
    if (static_cast<int64_t>(bytes.size()) > message_bytes_max_) {
      return Reject(message, {RejectReason::kTooLarge, "",
                              fmt::format("the message has {} bytes, more than {} ('message-bytes-max')", bytes.size(),
                                          message_bytes_max_)});
    }
    const Writer* writer = fixed_.get();
    if (writer == nullptr) {
      // Headers end by themselves, so one that begins like the last is the last.
      if (last_ == nullptr || !bytes.starts_with(last_header_)) {
        TM_ASSIGN_OR_RETURN(const bool good, FindWriter(message));
        if (!good) return false;
      }
      writer = last_;
      bytes.remove_prefix(last_header_.size());
      if (!writer->refused.empty()) return Reject(message, {RejectReason::kMalformed, "", writer->refused});
    }
    TM_ASSIGN_OR_RETURN(const bool good, messages_.ReadRow(writer->plan, bytes, row));
    return good || Reject(message, messages_.refusal());
  }

  // Sets last_ and last_header_; false when the message was rejected.
  Result<bool> FindWriter(const EncodedRow& message) {
    last_ = nullptr;
    int32_t id = 0;
    if (!ReadConfluentHeader(message.bytes, id)) {
      return Reject(message, {RejectReason::kMalformed, "",
                              "the message does not begin with a zero byte and the id of a schema"});
    }
    size_t end = kConfluentHeaderBytes;
    if (!messages_.HeaderEnd(message.bytes, end)) return Reject(message, messages_.refusal());
    last_header_ = message.bytes.substr(0, end);
    if (const auto found = writers_.find(last_header_); found != writers_.end()) {
      last_ = found->second.get();
      return true;
    }
    if (unknown_ids_.count(id) == 0) {
      auto resolved = schemas_->SchemaById(id);
      if (resolved.ok()) {
        auto made = std::make_unique<Writer>();
        TM_ASSIGN_OR_RETURN(made->plan, messages_.MakePlan(id, last_header_, *resolved, columns_, made->refused));
        if (writers_.size() >= kWritersMax) writers_.clear();
        last_ = (writers_[last_header_] = std::move(made)).get();
        return true;
      }
      if (!resolved.status().Is(kSchemaNotFound)) return resolved.status().WithContext(fmt::format("schema {}", id));
      unknown_ids_.insert(id);  // asked once a batch
    }
    return Reject(message, {RejectReason::kMalformed, "", fmt::format("the registry has no schema with id {}", id)});
  }

  bool Reject(const EncodedRow& message, const MessageRefusal& refusal) {
    RejectedRow rejected{.reason = refusal.reason, .source = source_, .partition = partition_};
    rejected.offset = message.offset;
    rejected.field = refusal.field;
    rejected.detail = refusal.detail;
    rejected.raw = std::string(message.bytes.substr(0, kRejectRawBytesMax));
    rejects_->Reject(std::move(rejected));
    return false;
  }

  const Schema schema_;
  const std::shared_ptr<SchemaSource> schemas_;
  const int64_t message_bytes_max_;
  Messages messages_;
  std::vector<ColumnWriter> columns_;
  std::unique_ptr<Writer> fixed_;
  std::unordered_map<std::string, std::unique_ptr<Writer>> writers_;  // by header
  std::unordered_set<int32_t> unknown_ids_;
  std::string last_header_;
  const Writer* last_ = nullptr;
  RejectSink* rejects_ = nullptr;
};

}  // namespace tidemill
