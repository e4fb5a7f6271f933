#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "connect/kinesis/kinesis_client.h"

namespace tidemill {

// The shards of a stream and what became of them: a split makes two out of one, a merge one out of two. A shard is read
// when all that it was made of have been read to their end, so the records of a key stay in order.
class ShardTree {
 public:
  // What is listed now. A shard that is no longer listed has expired: nobody waits for it.
  void Update(const std::vector<KinesisShard>& shards);
  // Nothing of it is to be read, or has been read to its end.
  void MarkEnded(const std::string& id) { ended_.insert(id); }
  // With all that it was made of.
  void MarkAncestorsEnded(const std::string& id);
  // Shards that may be read now and were not returned before, parents first.
  std::vector<KinesisShard> TakeReady();
  // Not to be returned by TakeReady: it is read already.
  void MarkTaken(const std::string& id) { taken_.insert(id); }
  bool IsClosed(const std::string& id) const;
  const std::map<std::string, KinesisShard>& shards() const { return shards_; }

 private:
  std::map<std::string, KinesisShard> shards_;
  std::set<std::string> ended_;
  std::set<std::string> taken_;
};

}  // namespace tidemill
