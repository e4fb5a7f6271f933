// What a ConsumerGroup's members are to have, and how far they are.

#include <algorithm>

#include "log/groups/assignors.h"
#include "log/groups/consumer_group.h"
#include "log/groups/group_environment.h"
#include "log/groups/topic_pattern.h"

namespace tidemill {

// True: topics that members want came, went or grew.
bool ConsumerGroup::RefreshTopics() {
  if (topics_version_ == environment_.topics_version || !environment_.options.topics) return false;
  topics_version_ = environment_.topics_version;
  std::map<std::string, GroupTopic> topics;
  for (GroupTopic& topic : environment_.options.topics()) {
    std::string name = topic.name;
    topics.emplace(std::move(name), std::move(topic));
  }
  topics_.swap(topics);
  bool changed = false;
  for (auto& [id, member] : members_) {
    changed |= MatchTopics(&member);
    for (const std::string& name : member.topic_names) {
      const auto old = topics.find(name);
      const GroupTopic& now = topics_.at(name);
      changed |= old == topics.end() || old->second.id != now.id || old->second.partitions != now.partitions;
    }
  }
  return changed;
}

// True: it matches others than before.
bool ConsumerGroup::MatchTopics(Member* member) const {
  std::set<std::string> names;
  for (const std::string& name : member->subscribed_topics) {
    if (topics_.contains(name)) names.insert(name);
  }
  if (member->subscribed_regex) {
    for (std::string& name : MatchTopicPattern(*member->subscribed_regex, topics_)) names.insert(std::move(name));
  }
  if (names == member->topic_names) return false;
  member->topic_names = std::move(names);
  return true;
}

void ConsumerGroup::ComputeTarget() {
  AssignorMembers members;
  AssignorTopics topics;
  for (const auto& [id, member] : members_) {
    AssignorMember& wants = members[id];
    wants.order = member.instance_id.value_or(id);
    wants.current = member.target;
    for (const std::string& name : member.topic_names) {
      const GroupTopic& topic = topics_.at(name);
      wants.topics.insert(topic.id);
      topics[topic.id] = topic.partitions;
    }
  }
  assignor_ = PreferredAssignor();
  TargetAssignment target =
      assignor_ == kRangeAssignor ? AssignByRange(members, topics) : AssignUniformly(members, topics);
  for (auto& [id, member] : members_) member.target = std::move(target[id]);
  assignment_epoch_ = group_epoch_;
}

// What most of those who care want.
std::string ConsumerGroup::PreferredAssignor() const {
  size_t range = 0, uniform = 0;
  for (const auto& [id, member] : members_) {
    range += member.assignor == kRangeAssignor;
    uniform += member.assignor == kUniformAssignor;
  }
  return std::string(range > uniform ? kRangeAssignor : kUniformAssignor);
}

bool ConsumerGroup::IsSubscribedTo(const std::string& topic) const {
  return std::any_of(members_.begin(), members_.end(), [&](const auto& member) {
    const auto& names = member.second.subscribed_topics;
    return member.second.topic_names.contains(topic) || std::find(names.begin(), names.end(), topic) != names.end();
  });
}

const char* ConsumerGroup::state() const {
  if (members_.empty()) return "Empty";
  if (group_epoch_ > assignment_epoch_) return "Assigning";
  const bool settled = std::all_of(members_.begin(), members_.end(), [this](const auto& member) {
    return member.second.state == State::kStable && member.second.epoch == assignment_epoch_;
  });
  return settled ? "Stable" : "Reconciling";
}

void ConsumerGroup::Describe(ConsumerGroupDescription* description) const {
  description->state = state();
  description->group_epoch = group_epoch_;
  description->assignment_epoch = assignment_epoch_;
  description->assignor = assignor_;
  for (const auto& [id, member] : members_) {
    description->members.push_back({.member_id = id,
                                    .instance_id = member.instance_id,
                                    .rack_id = member.rack_id,
                                    .member_epoch = member.epoch,
                                    .client_id = member.client_id,
                                    .client_host = member.client_host,
                                    .subscribed_topics = member.subscribed_topics,
                                    .subscribed_regex = member.subscribed_regex,
                                    .assignment = member.assigned,
                                    .target_assignment = member.target});
  }
}

}  // namespace tidemill
