// Runs every file under tests/sql in all ways: tests/sql/README.md.

#include <algorithm>
#include <chrono>
#include <deque>
#include <thread>

#include <gtest/gtest.h>

#include "base/errors.h"
#include "base/random.h"
#include "base/simulated_file_system.h"
#include "case_file.h"
#include "exec/lower/lower.h"
#include "job/epoch_coordinator.h"
#include "job/job.h"
#include "model/model_registry.h"
#include "rows_connector.h"
#include "sql/planner.h"

namespace tidemill {
namespace {

constexpr int64_t kNowUs = 1'767'225'600'000'000;  // 2026-01-01 00:00:00 UTC
constexpr const char* kStateDir = "state_dir";

// What all runs of a case share.
struct World {
  ManualClock clock{kNowUs};
  LocalFileSystem files;
  MetricsRegistry metrics;
  ModelRegistry models{files, clock, metrics, {.watch = false}};
  JobEnvironment::Options options{.connectors = {.files = &files, .clock = &clock, .metrics = &metrics},
                                  .models = &models};
  JobEnvironment others{options};
  JobPlannerEnvironment planning{options};
};

using Rows = std::map<std::string, std::vector<std::string>>;  // table ("" = SELECT) -> rows

// What a way of running gave.
struct Outcome {
  Status status;
  Rows rows;
  std::map<std::string, int> rejected;
  std::string reject_examples;
};

void Gather(CaseEnvironment& environment, const CaseFile& file, Outcome& outcome) {
  for (const CaseFile::Expect& expect : file.expects)
    outcome.rows[expect.table] = environment.output(expect.table).rows;
  outcome.rejected = environment.rejected();
  outcome.reject_examples = environment.reject_examples();
}

Schema ResultSchema(const LogicalPlan& plan) { return plan.roots[0]->schema; }

bool IsRun(const PlannedStatement& statement) {
  return statement.kind == PlannedStatement::Kind::kInsert || statement.kind == PlannedStatement::Kind::kQuery;
}

// On threads, as a job.
Outcome RunThreaded(World& world, const CaseFile& file, const std::vector<PlannedStatement>& statements,
                    int parallelism, int rows_max) {
  CaseEnvironment environment(file.inputs, world.others, world.clock);
  Outcome outcome;
  for (const PlannedStatement& statement : statements) {
    if (!IsRun(statement) || !outcome.status.ok()) continue;
    JobOptions options{.parallelism = parallelism, .batch_rows_max = rows_max, .pin_lanes = false};
    if (statement.kind == PlannedStatement::Kind::kQuery) {
      environment.output("").rows.clear();
      options.result_sink = environment.MakeRowsSink("", ResultSchema(statement.plan));
    }
    auto job = Job::Start(statement.plan, environment, std::move(options));
    if (!job.ok()) {
      outcome.status = job.status();
    } else if (!(*job)->WaitFor(60'000)) {
      outcome.status = Status(kTimeout, "the job did not end");
    } else {
      outcome.status = (*job)->Wait();
    }
  }
  Gather(environment, file, outcome);
  return outcome;
}

class Answers final : public DataflowListener {
 public:
  void OnEpochAnswer(EpochAnswer answer) override { answers.push_back(std::move(answer)); }
  void OnEnded() override { ended = true; }
  void OnFailed(Status) override {}
  std::deque<EpochAnswer> answers;
  bool ended = false;
};

// One life of a job in this thread: from the newest epoch until so many rows were read and an epoch is through, or to
// the end (true).
Result<bool> Live(const PlannedStatement& statement, CaseEnvironment& environment, SimulatedFileSystem& files,
                  int parallelism, int rows_max, int64_t rows_until_killed, Random& random) {
  ManifestStore manifests(files, kStateDir);
  TM_ASSIGN_OR_RETURN(const std::optional<Manifest> manifest, manifests.LoadNewest());
  EpochCoordinator::RemoveLeftovers(files, kStateDir, manifest ? &*manifest : nullptr);
  std::unique_ptr<RestoredEpoch> restored;
  if (manifest) restored = EpochCoordinator::MakeRestored(files, kStateDir, *manifest);
  TM_ASSIGN_OR_RETURN(auto journals, JournalStore::Open(files, kStateDir, manifest ? manifest->epoch : 0, false));
  environment.SetJournals(journals.get());

  Answers listener;
  TM_ASSIGN_OR_RETURN(StageGraph graph, LowerPlan(statement.plan, parallelism));
  const auto operators = OperatorsOf(graph);
  DataflowOptions options{.parallelism = parallelism,
                          .batch_rows_max = rows_max,
                          .settings = statement.plan.settings,
                          .restored = restored.get()};
  if (statement.kind == PlannedStatement::Kind::kQuery)
    options.result_sink = environment.MakeRowsSink("", ResultSchema(statement.plan));
  TM_ASSIGN_OR_RETURN(auto dataflow, Dataflow::Make(std::move(graph), environment, std::move(options), listener));
  for (const auto& [name, sink] : dataflow->sinks()) {
    std::vector<std::string> handles;
    if (manifest && manifest->sinks.contains(name)) handles = manifest->sinks.at(name);
    TM_RETURN_IF_ERROR(sink->Recover(handles));
  }
  TM_RETURN_IF_ERROR(dataflow->Open());
  if (!dataflow->unclaimed().empty())
    return Status(kInternalError, "state that nobody claims: " + dataflow->unclaimed()[0]);
  EpochCoordinator coordinator({.files = &files,
                                .state_dir = kStateDir,
                                .parallelism = parallelism,
                                .operators = operators,
                                .first_epoch = std::max(journals->greatest_epoch(), manifest ? manifest->epoch : 0) + 1,
                                .clock = &environment.clock(),
                                .metrics = &environment.metrics(),
                                .deltas_max = 2},
                               *dataflow, journals.get());
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  bool last = false;
  int64_t epochs = 0;
  int64_t steps_after = 0;  // some more, whose work is lost with the kill
  while (true) {
    TM_ASSIGN_OR_RETURN(const bool ran, dataflow->Step(random));
    journals->Flush();
    if (!ran && std::chrono::steady_clock::now() > until) return Status(kTimeout, "nothing moves");
    if (!ran && listener.answers.empty() && !listener.ended) std::this_thread::yield();
    const bool killed = dataflow->rows_read() >= rows_until_killed && !listener.ended;
    if (killed && epochs > 0 && ++steps_after > 5) return false;
    if (!coordinator.pending() && (listener.ended || random.Uniform(12) == 0 || (killed && epochs == 0))) {
      last = listener.ended;
      coordinator.Trigger();
    }
    while (!listener.answers.empty()) {
      TM_ASSIGN_OR_RETURN(const bool completed, coordinator.OnAnswer(std::move(listener.answers.front())));
      listener.answers.pop_front();
      if (!completed) continue;
      ++epochs;
      if (last) return true;
    }
  }
}

Outcome RunRestarted(World& world, const CaseFile& file, const std::vector<PlannedStatement>& statements,
                     uint64_t seed) {
  CaseEnvironment environment(file.inputs, world.others, world.clock);
  int64_t rows = 0;
  for (const auto& [table, splits] : file.inputs) {
    for (const auto& split : splits) rows += static_cast<int64_t>(split.size());
  }
  Outcome outcome;
  Random random(seed);
  for (const PlannedStatement& statement : statements) {
    if (!IsRun(statement) || !outcome.status.ok()) continue;
    if (statement.kind == PlannedStatement::Kind::kQuery) environment.output("").rows.clear();
    SimulatedFileSystem files;
    struct Life {
      int parallelism;
      int rows_max;
      int64_t rows;
    };
    const Life lives[] = {{1, 2, (rows + 2) / 3}, {4, 1, (rows + 2) / 3}, {2, 3, INT64_MAX}};
    for (const Life& life : lives) {
      const auto lived = Live(statement, environment, files, life.parallelism, life.rows_max, life.rows, random);
      files.Crash(random.Next());
      outcome.status = lived.status();
      if (!lived.ok() || *lived) break;
    }
  }
  environment.SetJournals(nullptr);
  Gather(environment, file, outcome);
  return outcome;
}

bool IsChange(const std::string& row) { return row.starts_with("-") || row.starts_with("+U"); }

// Sorted; with changes, what remains when they are applied. -U and +U pairs cancel by whole row.
std::vector<std::string> Final(const std::vector<std::string>& rows) {
  std::map<std::string, int> counts;
  for (const std::string& row : rows) {
    const std::string normal = NormalRow(row);
    const bool removes = normal.starts_with("-");
    counts[IsChange(normal) ? normal.substr(3) : normal] += removes ? -1 : 1;
  }
  std::vector<std::string> out;
  for (const auto& [row, count] : counts) {
    if (count < 0) out.push_back(std::to_string(count) + " x " + row);
    for (int i = 0; i < count; ++i) out.push_back(row);
  }
  return out;
}

std::string Joined(const std::vector<std::string>& rows) {
  std::string text;
  for (const std::string& row : rows) text += row + "\n";
  return text;
}

std::vector<std::string> NormalRows(const std::vector<std::string>& rows) {
  std::vector<std::string> out;
  for (const std::string& row : rows) out.push_back(NormalRow(row));
  return out;
}

class SqlCase : public ::testing::Test {
 public:
  explicit SqlCase(std::string path) : path_(std::move(path)) {}

  void TestBody() override {
    const auto file = ReadCaseFile(path_);
    ASSERT_TRUE(file.ok()) << file.status().ToString();
    file_ = *file;
    World world;
    CasePlannerEnvironment planning(world.planning);
    Planner planner(planning);
    auto statements = planner.Plan(path_, file_.script, {});
    if (!statements.ok()) return CheckStatus(statements.status());
    if (std::getenv("TIDEMILL_UPDATE_CASES") != nullptr && !file_.error) return Update(world, *statements);
    if (std::none_of(statements->begin(), statements->end(), IsRun)) return CheckTexts(*statements);
    if (file_.Runs("plain")) Check("plain", RunThreaded(world, file_, *statements, 1, kBatchRowsMax));
    if (HasFailure()) return;
    if (file_.Runs("rows")) Check("rows", RunThreaded(world, file_, *statements, 1, 1));
    if (file_.Runs("lanes")) {
      Check("lanes, two", RunThreaded(world, file_, *statements, 2, kBatchRowsMax));
      Check("lanes, four", RunThreaded(world, file_, *statements, 4, 3));
    }
    if (file_.Runs("restart")) {
      for (uint64_t seed = 1; seed <= 2; ++seed) {
        Check("restart, seed " + std::to_string(seed), RunRestarted(world, file_, *statements, seed));
      }
    }
  }

 private:
  void CheckStatus(const Status& status) {
    if (!file_.error) {
      ADD_FAILURE() << RenderError(status, file_.script);
      return;
    }
    ASSERT_FALSE(status.ok()) << "expected error TM" << file_.error->number;
    EXPECT_EQ(status.code().number, file_.error->number) << status.ToString();
    EXPECT_NE(status.ToString().find(file_.error->text), std::string::npos)
        << status.ToString() << "\nhas no \"" << file_.error->text << '"';
    if (file_.error->line == 0) return;
    ASSERT_TRUE(status.position().has_value()) << status.ToString();
    EXPECT_EQ(std::to_string(status.position()->line) + ":" + std::to_string(status.position()->column),
              std::to_string(file_.error->line) + ":" + std::to_string(file_.error->column))
        << status.ToString();
  }

  void Check(const std::string& way, const Outcome& outcome) {
    SCOPED_TRACE("way: " + way);
    if (!outcome.status.ok() || file_.error) return CheckStatus(outcome.status);
    for (const CaseFile::Expect& expect : file_.expects) {
      const std::vector<std::string>& rows = outcome.rows.at(expect.table);
      EXPECT_EQ(Joined(Final(rows)), Joined(Final(expect.rows))) << "rows of '" << expect.table << "'\n"
                                                                 << outcome.reject_examples;
      const bool in_order =
          (expect.ordered && (way == "plain" || way == "rows")) || (expect.changelog && way == "plain");
      if (in_order) {
        EXPECT_EQ(Joined(NormalRows(rows)), Joined(NormalRows(expect.rows)));
      }
    }
    if (file_.any_rejected || way.starts_with("restart")) return;
    std::map<std::string, int> expected;
    for (const auto& [reason, count] : file_.rejected) {
      if (count > 0) expected[reason] = count;
    }
    EXPECT_EQ(outcome.rejected, expected) << outcome.reject_examples;
  }

  // Of the last statement that shows something.
  static std::vector<std::string> Texts(const std::vector<PlannedStatement>& statements) {
    std::vector<std::string> rows;
    for (const PlannedStatement& statement : statements) {
      if (statement.kind != PlannedStatement::Kind::kDescribe && statement.kind != PlannedStatement::Kind::kExplain)
        continue;
      rows.clear();
      const auto quoted = [](const std::string& text) {
        std::string out = "\"";
        for (char c : text) {
          if (c == '"' || c == '\\') out += '\\';
          out += c;
        }
        return out + "\"";
      };
      for (const auto& cells : statement.cells) {
        std::string row = "{";
        for (size_t i = 0; i < cells.size(); ++i)
          row += (i > 0 ? "," : "") + quoted(statement.columns[i]) + ":" + quoted(cells[i]);
        rows.push_back(row + "}");
      }
      if (!statement.cells.empty()) continue;
      std::string line;
      for (char c : statement.text + "\n") {
        if (c != '\n') {
          line += c;
        } else if (!line.empty()) {
          rows.push_back("{\"text\":" + quoted(line) + "}");
          line.clear();
        }
      }
    }
    return rows;
  }

  void CheckTexts(const std::vector<PlannedStatement>& statements) {
    ASSERT_FALSE(file_.error) << "expected error TM" << file_.error->number;
    ASSERT_EQ(file_.expects.size(), 1u);
    EXPECT_EQ(Joined(NormalRows(Texts(statements))), Joined(NormalRows(file_.expects[0].rows)));
  }

  void Update(World& world, const std::vector<PlannedStatement>& statements) {
    Rows rows;
    if (std::none_of(statements.begin(), statements.end(), IsRun)) {
      rows[""] = Texts(statements);
    } else {
      const Outcome outcome = RunThreaded(world, file_, statements, 1, kBatchRowsMax);
      ASSERT_TRUE(outcome.status.ok()) << RenderError(outcome.status, file_.script);
      rows = outcome.rows;
      for (const CaseFile::Expect& expect : file_.expects) {
        std::vector<std::string>& list = rows[expect.table];
        if (!expect.changelog && std::any_of(list.begin(), list.end(), IsChange)) list = Final(list);
        if (!expect.ordered && !expect.changelog) std::sort(list.begin(), list.end());
      }
      for (const auto& [reason, count] : outcome.rejected)
        std::printf("%s: rejected %s %d\n", path_.c_str(), reason.c_str(), count);
    }
    const Status updated = UpdateCaseFile(file_, rows);
    ASSERT_TRUE(updated.ok()) << updated.ToString();
  }

  const std::string path_;
  CaseFile file_;
};

}  // namespace
}  // namespace tidemill

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  const std::string root = "tests/sql";
  const std::vector<std::string> files = tidemill::FindCaseFiles(root);
  if (files.empty()) {
    std::fprintf(stderr, "no .sql files under %s: run from the repository root\n", root.c_str());
    return 1;
  }
  for (const std::string& path : files) {
    std::string name = path.substr(root.size() + 1, path.size() - root.size() - 5);
    ::testing::RegisterTest("SqlCase", name.c_str(), nullptr, nullptr, path.c_str(), 1,
                            [path]() -> ::testing::Test* { return new tidemill::SqlCase(path); });
  }
  return RUN_ALL_TESTS();
}
