// Settings of topics, and those of the server that can be read.
#include <algorithm>
#include <deque>

#include <fmt/format.h>

#include "log/wire/internal/handlers.h"
#include "log/wire/messages/alter_configs.h"
#include "log/wire/messages/describe_configs.h"
#include "log/wire/messages/incremental_alter_configs.h"

namespace tidemill::wire {

namespace {

// Kafka's numbers.
constexpr int8_t kTopicResource = 2;
constexpr int8_t kBrokerResource = 4;
constexpr int8_t kSetForTopic = 1;
constexpr int8_t kSetForBroker = 4;
constexpr int8_t kIsDefault = 5;
enum class ConfigOperation : int8_t { kSet = 0, kDelete = 1, kAppend = 2, kSubtract = 3 };

struct ConfigAnswer {
  DescribeConfigsResponse response;
  std::deque<std::string> texts;  // what its views point into

  void Add(DescribeConfigsResponse::DescribeConfigsResult& result, const CallPtr<DescribeConfigsRequest>& call,
           const DescribeConfigsRequest::DescribeConfigsResource& wanted, std::string_view name, std::string_view value,
           int8_t source) {
    const auto& keys = wanted.configuration_keys;
    if (keys && !keys->empty() && std::ranges::find(*keys, name) == keys->end()) return;
    auto& config = result.configs.emplace_back();
    config.name = texts.emplace_back(name);
    config.value = texts.emplace_back(value);
    config.config_source = source;
    config.read_only = source == kSetForBroker;
    config.documentation.reset();
    if (call->message.include_synonyms) config.synonyms.push_back({config.name, config.value, source});
  }
};

void AnswerDescribeConfigs(Broker& broker, const CallPtr<DescribeConfigsRequest>& call) {
  ConfigAnswer answer;
  for (const auto& wanted : call->message.resources) {
    auto& result = answer.response.results.emplace_back();
    result.resource_type = wanted.resource_type;
    result.resource_name = wanted.resource_name;
    result.error_message.reset();
    const auto refuse = [&](KafkaError error, std::string message) {
      result.error_code = Code(error);
      result.error_message = answer.texts.emplace_back(std::move(message));
    };
    const Config defaults = broker.topic_defaults.ToConfig();
    if (wanted.resource_type == kTopicResource) {
      if (!broker.AllowsTopic(*call, AclOperation::kDescribeConfigs, wanted.resource_name)) {
        refuse(KafkaError::kTopicAuthorizationFailed, "not allowed");
        continue;
      }
      const auto topic = broker.log.Describe(std::string(wanted.resource_name));
      if (!topic.ok()) {
        refuse(KafkaErrorOf(topic.status()), topic.status().message());
        continue;
      }
      const Config settings = topic->config.ToConfig();
      for (const auto& [key, value] : settings.values()) {
        if (key != "partitions")
          answer.Add(result, call, wanted, key, value, defaults.Get(key) == value ? kIsDefault : kSetForTopic);
      }
    } else if (wanted.resource_type == kBrokerResource) {
      if (!broker.AllowsCluster(*call, AclOperation::kDescribeConfigs)) {
        refuse(KafkaError::kClusterAuthorizationFailed, "not allowed");
        continue;
      }
      if (!wanted.resource_name.empty() && wanted.resource_name != fmt::to_string(kNodeId)) {
        refuse(KafkaError::kInvalidRequest, fmt::format("this is node {}", kNodeId));
        continue;
      }
      answer.Add(result, call, wanted, "auto.create.topics.enable", broker.auto_create_topics ? "true" : "false",
                 kSetForBroker);
      answer.Add(result, call, wanted, "num.partitions", fmt::to_string(broker.topic_defaults.partitions),
                 kSetForBroker);
      answer.Add(result, call, wanted, "default.replication.factor", "1", kSetForBroker);
      for (const auto& [key, value] : defaults.values()) {
        if (key != "partitions") answer.Add(result, call, wanted, "log." + key, value, kSetForBroker);
      }
    } else {
      refuse(KafkaError::kInvalidRequest, "topics and brokers have settings here");
    }
  }
  call->Answer(answer.response);
}

Status Reconfigure(Broker& broker, const TopicDescription& topic, const Config& settings, bool validate_only) {
  TopicConfig base = broker.topic_defaults;
  base.partitions = topic.config.partitions;
  TM_ASSIGN_OR_RETURN(const TopicConfig config, TopicConfig::FromConfig(settings, base));
  TM_RETURN_IF_ERROR(config.Validate());
  return validate_only ? Status::OK() : broker.log.AlterTopic(topic.name, config);
}

// `changed` gives a topic's new settings from those it has.
template <typename Response, typename Request, typename Changed>
void AnswerAlter(Broker& broker, const CallPtr<Request>& call, Changed changed) {
  Response response;
  std::deque<std::string> texts;
  for (const auto& resource : call->message.resources) {
    auto& item = response.responses.emplace_back();
    item.resource_type = resource.resource_type;
    item.resource_name = resource.resource_name;
    item.error_message.reset();
    const auto refuse = [&](KafkaError error, std::string message) {
      item.error_code = Code(error);
      item.error_message = texts.emplace_back(std::move(message));
    };
    if (resource.resource_type != kTopicResource) {
      refuse(KafkaError::kInvalidRequest, "only the settings of topics can be changed here");
      continue;
    }
    if (!broker.AllowsTopic(*call, AclOperation::kAlterConfigs, resource.resource_name)) {
      refuse(KafkaError::kTopicAuthorizationFailed, "not allowed");
      continue;
    }
    const auto topic = broker.log.Describe(std::string(resource.resource_name));
    if (!topic.ok()) {
      refuse(KafkaErrorOf(topic.status()), topic.status().message());
      continue;
    }
    std::map<std::string, std::string> values = topic->config.ToConfig().values();
    values.erase("partitions");
    if (const std::string problem = changed(resource, &values); !problem.empty()) {
      refuse(KafkaError::kInvalidConfig, problem);
      continue;
    }
    const Status done = Reconfigure(broker, *topic, Config(std::move(values)), call->message.validate_only);
    if (!done.ok()) refuse(KafkaErrorOf(done), done.message());
  }
  call->Answer(response);
}

std::string ReplaceAll(const AlterConfigsRequest::AlterConfigsResource& resource,
                       std::map<std::string, std::string>* values) {
  values->clear();
  for (const auto& config : resource.configs) {
    if (config.value) (*values)[std::string(config.name)] = *config.value;
  }
  return "";
}

std::vector<std::string> SplitList(std::string_view text) {
  std::vector<std::string> items;
  while (!text.empty()) {
    const std::string_view item = text.substr(0, text.find(','));
    if (!item.empty()) items.emplace_back(item);
    text.remove_prefix(std::min(text.size(), item.size() + 1));
  }
  return items;
}

std::string ChangeSome(const IncrementalAlterConfigsRequest::AlterConfigsResource& resource,
                       std::map<std::string, std::string>* values) {
  for (const auto& config : resource.configs) {
    const std::string key(config.name);
    const auto operation = static_cast<ConfigOperation>(config.config_operation);
    if (operation == ConfigOperation::kDelete) {
      values->erase(key);
      continue;
    }
    if (!config.value) return fmt::format("'{}' has no value", key);
    if (operation == ConfigOperation::kSet) {
      (*values)[key] = *config.value;
      continue;
    }
    if (operation != ConfigOperation::kAppend && operation != ConfigOperation::kSubtract)
      return fmt::format("operation {} is not known", config.config_operation);
    if (key != "cleanup.policy") return fmt::format("'{}' is no list", key);
    std::vector<std::string> items = SplitList((*values)[key]);
    for (const std::string& item : SplitList(*config.value)) {
      std::erase(items, item);
      if (operation == ConfigOperation::kAppend) items.push_back(item);
    }
    (*values)[key] = fmt::format("{}", fmt::join(items, ","));
  }
  return "";
}

}  // namespace

void HandleDescribeConfigs(Broker& broker, const CallPtr<DescribeConfigsRequest>& call) {
  AnswerDescribeConfigs(broker, call);
}

void HandleAlterConfigs(Broker& broker, const CallPtr<AlterConfigsRequest>& call) {
  broker.slow.Post([&broker, call] { AnswerAlter<AlterConfigsResponse>(broker, call, &ReplaceAll); });
}

void HandleIncrementalAlterConfigs(Broker& broker, const CallPtr<IncrementalAlterConfigsRequest>& call) {
  broker.slow.Post([&broker, call] { AnswerAlter<IncrementalAlterConfigsResponse>(broker, call, &ChangeSome); });
}

}  // namespace tidemill::wire
