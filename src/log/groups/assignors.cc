#include "log/groups/assignors.h"

#include <algorithm>
#include <vector>

namespace tidemill {
namespace {

// One member while partitions are dealt.
struct Hand {
  const std::string* id = nullptr;
  int64_t load = 0;
};

class UniformDeal {
 public:
  UniformDeal(const AssignorMembers& members, const AssignorTopics& topics) {
    hands_.reserve(members.size());
    for (const auto& [id, member] : members) {
      hands_.push_back({&id, 0});
      for (const TopicId& topic : member.topics) {
        if (topics.contains(topic)) subscribers_[topic].push_back(hands_.size() - 1);
      }
    }
    for (const auto& [topic, subscribers] : subscribers_) {
      owners_[topic].assign(static_cast<size_t>(topics.at(topic)), kNobody);
    }
  }

  void KeepCurrent(const AssignorMembers& members) {
    size_t hand = 0;
    for (const auto& [id, member] : members) {
      for (const auto& [topic, partitions] : member.current) {
        const auto owners = owners_.find(topic);
        if (owners == owners_.end() || !member.topics.contains(topic)) continue;
        for (const int32_t partition : partitions) {
          if (static_cast<size_t>(partition) >= owners->second.size()) continue;
          size_t& owner = owners->second[static_cast<size_t>(partition)];
          if (owner == kNobody) Give(&owner, hand);
        }
      }
      ++hand;
    }
  }
  void GiveTheRest() {
    for (auto& [topic, owners] : owners_) {
      for (size_t& owner : owners) {
        if (owner == kNobody) Give(&owner, LeastLoaded(topic));
      }
    }
  }
  // Moves a partition while that brings two of its subscribers closer together. Each move lowers the sum of squared
  // loads, so this ends.
  void Balance() {
    for (bool moved = true; moved;) {
      moved = false;
      for (auto& [topic, owners] : owners_) {
        for (size_t& owner : owners) {
          const size_t least = LeastLoaded(topic);
          if (hands_[least].load + 1 >= hands_[owner].load) continue;
          --hands_[owner].load;
          Give(&owner, least);
          moved = true;
        }
      }
    }
  }
  TargetAssignment Result() const {
    TargetAssignment target;
    for (const Hand& hand : hands_) target[*hand.id];
    for (const auto& [topic, owners] : owners_) {
      for (size_t p = 0; p < owners.size(); ++p) target[*hands_[owners[p]].id][topic].insert(static_cast<int32_t>(p));
    }
    return target;
  }

 private:
  static constexpr size_t kNobody = SIZE_MAX;

  void Give(size_t* owner, size_t hand) {
    *owner = hand;
    ++hands_[hand].load;
  }
  size_t LeastLoaded(const TopicId& topic) const {
    const std::vector<size_t>& subscribers = subscribers_.at(topic);
    return *std::min_element(subscribers.begin(), subscribers.end(),
                             [this](size_t a, size_t b) { return hands_[a].load < hands_[b].load; });
  }

  std::vector<Hand> hands_;
  std::map<TopicId, std::vector<size_t>> subscribers_;
  std::map<TopicId, std::vector<size_t>> owners_;  // by partition
};

}  // namespace

TargetAssignment AssignUniformly(const AssignorMembers& members, const AssignorTopics& topics) {
  UniformDeal deal(members, topics);
  deal.KeepCurrent(members);
  deal.GiveTheRest();
  deal.Balance();
  return deal.Result();
}

TargetAssignment AssignByRange(const AssignorMembers& members, const AssignorTopics& topics) {
  TargetAssignment target;
  std::vector<std::pair<std::string, std::string>> order;  // and member id
  for (const auto& [id, member] : members) {
    target[id];
    order.emplace_back(member.order, id);
  }
  std::sort(order.begin(), order.end());
  for (const auto& [topic, count] : topics) {
    std::vector<const std::string*> subscribers;
    for (const auto& [key, id] : order) {
      if (members.at(id).topics.contains(topic)) subscribers.push_back(&id);
    }
    if (subscribers.empty()) continue;
    const auto size = static_cast<int32_t>(subscribers.size());
    int32_t next = 0;
    for (int32_t i = 0; i < size; ++i) {
      const int32_t share = count / size + (i < count % size ? 1 : 0);
      for (int32_t end = next + share; next < end; ++next) {
        target[*subscribers[static_cast<size_t>(i)]][topic].insert(next);
      }
    }
  }
  return target;
}

}  // namespace tidemill
