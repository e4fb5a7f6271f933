#include "feature/feast_api.h"

#include <arrow/api.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/simulated_file_system.h"
#include "feature/errors.h"
#include "feature/feature_tables.h"
#include "feature/tests/rows.h"

namespace tidemill {
namespace {

using Json = nlohmann::json;

// The view and rows of record_feast.py.
class FeastApiTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = FeatureStore::Open(files_, clock_, metrics_, "/store", {.background = false});
    ASSERT_TRUE(opened.ok());
    store_ = *std::move(opened);
    Register("card_stats");
    Register("card_push");                  // a push source is a view's name here
    const int64_t now = 1'767'323'045'000;  // 2026-01-02 03:04:05
    const auto seen = ToArrow(DataType::Timestamp(3));
    const std::string times =
        "[" + std::to_string(now) + "," + std::to_string(now) + "," + std::to_string(now - 10 * 86'400'000LL) + "]";
    const std::string seens = "[" + std::to_string(now) + "," + std::to_string(now) + "," + std::to_string(now) + "]";
    const auto rows = arrow::RecordBatch::Make(
        store_->FindView("card_stats")->schema.arrow(), 3,
        {ArrayFrom(arrow::int64(), "[1, 2, 3]"), ArrayFrom(seen, times), ArrayFrom(arrow::int64(), "[5, null, 7]"),
         ArrayFrom(arrow::float64(), "[1.5, 2.25, NaN]"), ArrayFrom(arrow::utf8(), R"(["DE", null, "FR"])"),
         ArrayFrom(arrow::boolean(), "[true, false, true]"), ArrayFrom(seen, seens)});
    ASSERT_TRUE(store_->Push("card_stats", rows, {}).ok());
  }

  void Register(const std::string& name) {
    FeatureView view;
    view.name = name;
    view.schema = Schema({{"card_id", DataType(TypeKind::kBigInt)},
                          {"event_timestamp", DataType::Timestamp(3)},
                          {"tx_count", DataType(TypeKind::kBigInt)},
                          {"mean", DataType(TypeKind::kDouble)},
                          {"country", DataType(TypeKind::kString)},
                          {"ok", DataType(TypeKind::kBoolean)},
                          {"seen", DataType::Timestamp(3)}});
    view.entities = {"card_id"};
    view.event_time = "event_timestamp";
    view.ttl_ms = 86'400'000;
    ASSERT_TRUE(store_->RegisterView(view).ok());
  }

  FeastAnswer Ask(const std::string& path, const Json& request) {
    const std::string body = request.is_string() ? request.get<std::string>() : request.dump();
    return path == "/push" ? HandlePush(*store_, body) : HandleGetOnlineFeatures(*store_, body);
  }

  SimulatedFileSystem files_;
  ManualClock clock_{1'767'323'045'000'000};
  MetricsRegistry metrics_;
  std::unique_ptr<FeatureStore> store_;
};

// {name: result}: Feast's order of features within a view is that of a Python set. Its server does not give the finer
// statuses.
Json ByName(const Json& answer) {
  Json results = Json::object();
  for (size_t i = 0; i < answer["results"].size(); ++i) {
    Json result = answer["results"][i];
    for (Json& status : result["statuses"]) {
      if (status == "NULL_VALUE" || status == "OUTSIDE_MAX_AGE") status = "PRESENT";
    }
    results[answer["metadata"]["feature_names"][i].get<std::string>()] = result;
  }
  return results;
}

TEST_F(FeastApiTest, AnswersAsFeastDoes) {
  LocalFileSystem local;
  const Json recorded = Json::parse(*ReadFile(local, "src/feature/tests/data/feast_0_67_0.json", 1 << 20));
  ASSERT_GT(recorded.size(), 20u);
  for (const Json& one : recorded) {
    Json request = one["request"];
    Json expected = one["answer"];
    const std::string shown = request.dump();
    if (request.is_object() && request.contains("feature_service") && request["feature_service"] == "svc")
      request["feature_service"] = "card_stats";
    const bool pushes = one["path"] == "/push";
    if (pushes && request["push_source_name"] == "card_push") request["push_source_name"] = "card_stats";
    const FeastAnswer answer = Ask(one["path"], request);
    const Json got = answer.body.empty() ? Json("") : Json::parse(answer.body);
    const int status = one["status"];
    if (status == 200) {
      ASSERT_EQ(answer.status, 200) << shown << answer.body;
      if (pushes) {
        EXPECT_EQ(got, expected);
      } else {
        EXPECT_EQ(ByName(got), ByName(expected)) << shown;
      }
    } else if (status == 500) {
      EXPECT_EQ(answer.status, 422) << shown << answer.body;  // Feast's server fails, ours says what is wrong
      EXPECT_TRUE(got["detail"][0].contains("msg")) << answer.body;
    } else {
      EXPECT_EQ(answer.status, status) << shown << answer.body;
      // The project's name in Feast's message has no counterpart.
      if (expected.is_string()) {
        std::string text = expected;
        const size_t project = text.find(" in project demo");
        if (project != std::string::npos) text.erase(project, 16);
        EXPECT_EQ(got, Json(text)) << shown;
      } else {
        for (const char* key : {"type", "loc", "msg"})
          EXPECT_EQ(got["detail"][0][key], expected["detail"][0][key]) << shown;
      }
    }
  }
}

TEST_F(FeastApiTest, GivesTheFinerStatuses) {
  const Json got = Json::parse(Ask("/get-online-features", {{"features", {"card_stats:country", "card_stats:mean"}},
                                                            {"entities", {{"card_id", {1, 2, 3, 9}}}}})
                                   .body);
  EXPECT_EQ(got["metadata"]["feature_names"], Json({"card_id", "country", "mean"}));
  EXPECT_EQ(got["results"][1]["statuses"], Json({"PRESENT", "NULL_VALUE", "OUTSIDE_MAX_AGE", "NOT_FOUND"}));
  EXPECT_EQ(got["results"][1]["values"], Json({"DE", nullptr, "FR", nullptr}));
}

TEST_F(FeastApiTest, PushesOnlineAndOffline) {
  const Json df = {{"card_id", {7, 8}},
                   {"event_timestamp", {"2026-01-02T03:04:05.250Z", 1767323045}},
                   {"mean", {0.25, nullptr}},
                   {"unknown", {1, 2}}};
  const FeastAnswer answer =
      Ask("/push", {{"push_source_name", "card_stats"}, {"df", df}, {"to", "online_and_offline"}});
  ASSERT_EQ(answer.status, 200) << answer.body;
  const Json got = Json::parse(
      Ask("/get-online-features", {{"features", {"card_stats:mean"}}, {"entities", {{"card_id", {7, 8}}}}}).body);
  EXPECT_EQ(got["results"][1]["values"], Json({0.25, nullptr}));
  EXPECT_EQ(got["results"][1]["event_timestamps"], Json({"2026-01-02T03:04:05.25Z", "2026-01-02T03:04:05Z"}));
  EXPECT_EQ(ListOffline(files_, "/store/offline/card_stats")->size(), 1u);
}

TEST_F(FeastApiTest, RefusesOddRequests) {
  const Json one = {{"card_id", {1}}};
  const std::vector<std::pair<std::string, Json>> odd = {
      {"/get-online-features", Json::array()},
      {"/get-online-features", "\xff\xfe"},
      {"/get-online-features", std::string(100'000, '[')},
      {"/get-online-features", {{"features", "card_stats:mean"}, {"entities", one}}},
      {"/get-online-features", {{"features", {1}}, {"entities", one}}},
      {"/get-online-features", {{"features", {"card_stats@v1:mean"}}, {"entities", one}}},
      {"/get-online-features", {{"features", std::vector<std::string>(2000, "card_stats:mean")}, {"entities", one}}},
      {"/get-online-features",
       {{"features", {"card_stats:mean"}}, {"entities", {{"card_id", std::vector<int>(10'001, 1)}}}}},
      {"/get-online-features", {{"features", {"card_stats:mean"}}, {"entities", {{"card_id", {1.5}}}}}},
      {"/get-online-features", {{"features", {"card_stats:mean"}}, {"entities", {{"card_id", {1e300}}}}}},
      {"/get-online-features", {{"features", {"card_stats:mean"}}, {"entities", {{"card_id", {Json::object()}}}}}},
      {"/get-online-features", {{"features", {"card_stats:mean"}}, {"entities", one}, {"full_feature_names", "yes"}}},
      {"/push", {{"push_source_name", 5}, {"df", one}}},
      {"/push", {{"push_source_name", "card_stats"}, {"df", Json::array()}}},
      {"/push", {{"push_source_name", "card_stats"}, {"df", Json::object()}}},
      {"/push", {{"push_source_name", "card_stats"}, {"df", one}}},
      {"/push", {{"push_source_name", "card_stats"}, {"df", {{"card_id", {1}}, {"event_timestamp", {"soon"}}}}}},
      {"/push", {{"push_source_name", "card_stats"}, {"df", {{"card_id", {1}}, {"event_timestamp", {nullptr}}}}}},
      {"/push",
       {{"push_source_name", "card_stats"}, {"df", {{"card_id", {1}}, {"event_timestamp", {0}}, {"ok", {"yes"}}}}}},
  };
  for (const auto& [path, request] : odd) {
    const FeastAnswer answer = Ask(path, request);
    EXPECT_EQ(answer.status, 422) << path << " " << answer.body.substr(0, 300);
    EXPECT_TRUE(Json::accept(answer.body));
  }
  EXPECT_EQ(HandleGetOnlineFeatures(*store_, std::string((16 << 20) + 1, ' ')).status, 413);
}

std::string TextAt(const ResultTable& table, const std::string& column, int64_t row) {
  const auto values = table.batches[0].rows->GetColumnByName(column);
  return (*values->GetScalar(row))->ToString();
}

TEST_F(FeastApiTest, TablesForTheCommandLine) {
  const auto views = ListFeatureViews(*store_);
  ASSERT_TRUE(views.ok());
  EXPECT_EQ(TextAt(*views, "view", 1), "card_stats");
  EXPECT_EQ(TextAt(*views, "rows_online", 1), "3");
  const auto described = DescribeFeatureView(*store_, "card_stats");
  ASSERT_TRUE(described.ok());
  EXPECT_EQ(TextAt(*described, "role", 0), "entity");
  EXPECT_EQ(TextAt(*described, "role", 1), "event time");
  const auto got = GetFeatures(*store_, {"card_id=1", "card_id=99"}, {"card_stats:*"});
  ASSERT_TRUE(got.ok()) << got.status().ToString();
  EXPECT_EQ(got->batches[0].num_rows(), 10);
  EXPECT_EQ(TextAt(*got, "feature", 1), "card_stats:mean");
  EXPECT_EQ(TextAt(*got, "value", 1), "1.5");
  EXPECT_EQ(TextAt(*got, "value", 4), "2026-01-02 03:04:05.000");
  EXPECT_EQ(TextAt(*got, "status", 5), "NOT_FOUND");
  EXPECT_TRUE(GetFeatures(*store_, {"card_id"}, {"card_stats:*"}).status().Is(kInvalidFeatureRequest));
  EXPECT_TRUE(GetFeatures(*store_, {"card=1"}, {"card_stats:*"}).status().Is(kInvalidFeatureRequest));
  EXPECT_TRUE(GetFeatures(*store_, {"card_id=x"}, {"card_stats:*"}).status().Is(kInvalidFeatureRequest));
}

}  // namespace
}  // namespace tidemill
