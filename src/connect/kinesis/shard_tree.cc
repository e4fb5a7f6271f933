#include "connect/kinesis/shard_tree.h"

#include <algorithm>

namespace tidemill {

void ShardTree::Update(const std::vector<KinesisShard>& shards) {
  shards_.clear();
  for (const KinesisShard& shard : shards) shards_.insert_or_assign(shard.id, shard);
}

void ShardTree::MarkAncestorsEnded(const std::string& id) {
  std::vector<std::string> left{id};
  while (!left.empty()) {
    const auto found = shards_.find(left.back());
    left.pop_back();
    if (found == shards_.end()) continue;
    for (const std::string& parent : found->second.parents) {
      if (ended_.insert(parent).second) left.push_back(parent);
    }
  }
}

std::vector<KinesisShard> ShardTree::TakeReady() {
  std::vector<KinesisShard> ready;
  for (const auto& [id, shard] : shards_) {
    if (ended_.contains(id) || taken_.contains(id)) continue;
    const bool waits = std::any_of(shard.parents.begin(), shard.parents.end(), [&](const std::string& parent) {
      return shards_.contains(parent) && !ended_.contains(parent);
    });
    if (waits) continue;
    taken_.insert(id);
    ready.push_back(shard);
  }
  return ready;
}

bool ShardTree::IsClosed(const std::string& id) const {
  const auto found = shards_.find(id);
  return found != shards_.end() && found->second.closed;
}

}  // namespace tidemill
