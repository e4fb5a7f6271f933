#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/url.h"
#include "server/dead_letters.h"
#include "server/server_client.h"

namespace tidemill {
namespace {

using nlohmann::json;

class RemoteDeadLetterAccess final : public DeadLetterAccess {
 public:
  RemoteDeadLetterAccess(Network& network, std::string url) : client_(network, std::move(url)) {}

  Result<std::vector<DeadLetterGroup>> List() override {
    TM_ASSIGN_OR_RETURN(const std::string text, client_.Get("/api/v1/dlq"));
    const json body = json::parse(text, nullptr, false);
    if (!body.is_object() || !body.contains("dlq") || !body["dlq"].is_array()) return BadAnswer();
    std::vector<DeadLetterGroup> groups;
    for (const json& item : body["dlq"]) {
      groups.push_back({item.value("topic", ""), item.value("reason", ""), item.value("records", int64_t{0}),
                        item.value("newest", int64_t{0}), item.value("example", "")});
    }
    return groups;
  }

  Result<ReplayStep> Replay(const ReplayRequest& request, const std::vector<ReplayRange>& rest) override {
    json body = {{"table", request.table}, {"dry_run", request.dry_run}, {"all", request.all}};
    if (!request.to.empty()) body["to"] = request.to;
    if (!request.reason.empty()) body["reason"] = request.reason;
    if (!rest.empty()) {
      body["rest"] = json::array();
      for (const ReplayRange& range : rest)
        body["rest"].push_back({{"partition", range.partition}, {"from", range.from}, {"end", range.end}});
    }
    TM_ASSIGN_OR_RETURN(const std::string text,
                        client_.Post("/api/v1/dlq/replay", "application/json",
                                     body.dump(-1, ' ', false, json::error_handler_t::replace)));
    const json answer = json::parse(text, nullptr, false);
    if (!answer.is_object() || !answer.contains("to") || !answer.contains("rest")) return BadAnswer();
    ReplayStep step;
    for (const auto& [topic, records] : answer["to"].items())
      step.records[topic] = records.is_number_integer() ? records.get<int64_t>() : 0;
    for (const json& range : answer["rest"])
      step.rest.push_back(
          {range.value("partition", 0), range.value("from", int64_t{0}), range.value("end", int64_t{0})});
    return step;
  }

  Result<DroppedDeadLetters> Drop(const std::string& table) override {
    TM_ASSIGN_OR_RETURN(const std::string text, client_.Delete("/api/v1/dlq/" + PercentEncode(table)));
    const json answer = json::parse(text, nullptr, false);
    if (!answer.is_object()) return BadAnswer();
    return DroppedDeadLetters{answer.value("topic", ""), answer.value("records", int64_t{0})};
  }

 private:
  static Status BadAnswer() { return Status(kNetworkError, "the server's answer is not understood: dead letters"); }

  ServerClient client_;
};

}  // namespace

std::unique_ptr<DeadLetterAccess> MakeRemoteDeadLetterAccess(Network& network, std::string server_url) {
  return std::make_unique<RemoteDeadLetterAccess>(network, std::move(server_url));
}

}  // namespace tidemill
