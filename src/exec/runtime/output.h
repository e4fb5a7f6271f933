#pragma once

#include <array>
#include <memory>
#include <vector>

#include "base/status.h"
#include "data/key_encoder.h"
#include "exec/lower/stage_graph.h"
#include "exec/runtime/channel.h"

namespace tidemill {

// One edge out of a subtask: the channels to the subtasks of one consuming stage. Batches go by key or straight on; all
// else goes to all.
class Output {
 public:
  // kForward: exactly one channel; kHash: one a lane.
  static Result<std::unique_ptr<Output>> Make(const ExchangeSpec& exchange, std::vector<Channel*> channels);

  Status Emit(const Batch& batch);
  void Broadcast(const Element& element);
  bool HasRoom() const {
    for (const Channel* channel : channels_) {
      if (!channel->HasRoom()) return false;
    }
    return true;
  }

 private:
  Output() = default;
  Status EmitByKey(const Batch& batch);

  std::vector<Channel*> channels_;
  std::vector<int> keys_;
  std::unique_ptr<KeyEncoder> encoder_;  // null: all to the first channel
  std::array<uint8_t, kKeyGroups> lane_of_group_{};
  std::vector<std::vector<int32_t>> rows_of_lane_;  // kept for its memory
};

}  // namespace tidemill
