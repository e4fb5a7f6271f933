#include "exec/runtime/output.h"

#include <arrow/record_batch.h>

namespace tidemill {

Result<std::unique_ptr<Output>> Output::Make(const ExchangeSpec& exchange, std::vector<Channel*> channels) {
  std::unique_ptr<Output> output(new Output);
  output->channels_ = std::move(channels);
  if (exchange.kind == ExchangeSpec::Kind::kHash && output->channels_.size() > 1) {
    if (exchange.keys.empty()) {  // no key: all rows belong to key group 0
      return output;
    }
    TM_ASSIGN_OR_RETURN(output->encoder_, KeyEncoder::Make(exchange.key_types));
    output->keys_ = exchange.keys;
    const int lanes = static_cast<int>(output->channels_.size());
    TM_CHECK(lanes <= kKeyGroups);
    for (int group = 0; group < kKeyGroups; ++group) {
      output->lane_of_group_[group] = static_cast<uint8_t>(LaneOfKeyGroup(group, lanes));
    }
    output->rows_of_lane_.resize(output->channels_.size());
  } else {
    TM_CHECK(output->channels_.size() == 1);
  }
  return output;
}

Status Output::Emit(const Batch& batch) {
  if (encoder_ != nullptr) return EmitByKey(batch);
  channels_[0]->Push(Element::OfBatch(batch));
  return Status::OK();
}

Status Output::EmitByKey(const Batch& batch) {
  std::vector<std::shared_ptr<arrow::Array>> columns;
  columns.reserve(keys_.size());
  for (int key : keys_) columns.push_back(batch.rows->column(key));
  const int64_t num_rows = batch.num_rows();
  TM_ASSIGN_OR_RETURN(const EncodedKeys encoded, encoder_->Encode(columns, num_rows));

  const uint8_t* groups = encoded.key_groups;
  const uint8_t first_lane = lane_of_group_[groups[0]];
  int64_t same = 1;
  while (same < num_rows && lane_of_group_[groups[same]] == first_lane) ++same;
  if (same == num_rows) {  // always so for a lone event: nothing is copied
    channels_[first_lane]->Push(Element::OfBatch(batch));
    return Status::OK();
  }

  // Count, then place: no growing vector per row.
  std::array<int32_t, kKeyGroups> counts{};
  for (int64_t i = 0; i < num_rows; ++i) ++counts[groups[i]];
  std::array<int32_t*, kKeyGroups> next{};
  for (size_t lane = 0; lane < channels_.size(); ++lane) rows_of_lane_[lane].clear();
  std::array<int32_t, kKeyGroups> per_lane{};
  for (int group = 0; group < kKeyGroups; ++group) per_lane[lane_of_group_[group]] += counts[group];
  for (size_t lane = 0; lane < channels_.size(); ++lane) {
    rows_of_lane_[lane].resize(static_cast<size_t>(per_lane[lane]));
    next[lane] = rows_of_lane_[lane].data();
  }
  for (int64_t i = 0; i < num_rows; ++i) *next[lane_of_group_[groups[i]]]++ = static_cast<int32_t>(i);
  for (size_t lane = 0; lane < channels_.size(); ++lane) {
    if (rows_of_lane_[lane].empty()) continue;
    TM_ASSIGN_OR_RETURN(Batch part, TakeRows(batch, rows_of_lane_[lane]));
    channels_[lane]->Push(Element::OfBatch(std::move(part)));
  }
  return Status::OK();
}

void Output::Broadcast(const Element& element) {
  for (Channel* channel : channels_) channel->Push(element);
}

}  // namespace tidemill
