#include "model/model_registry.h"

#include <cmath>
#include <thread>

#include <arrow/api.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "model/errors.h"
#include "model/tests/models.h"

namespace tidemill {
namespace {

using Arrays = std::vector<std::shared_ptr<arrow::Array>>;

class ModelRegistryTest : public ::testing::Test {
 protected:
  ModelRegistryTest() : registry_(files_, clock_, metrics_, ModelRegistryOptions{.watch = false}) {}

  std::vector<Field> ThreeDoubles() { return {DoubleField("a"), DoubleField("b"), DoubleField("c")}; }

  Result<Arrays> Predict(const ModelDefinition& definition, const Arrays& inputs) {
    TM_ASSIGN_OR_RETURN(const std::unique_ptr<Predictor> predictor, registry_.MakePredictor(definition, {}));
    return predictor->Predict(inputs, inputs[0]->length());
  }

  Status Refusal(const ModelDefinition& definition) {
    const Status status = registry_.Validate(definition);
    EXPECT_FALSE(status.ok());
    return status;
  }

  static nlohmann::json Answers() {
    LocalFileSystem files;
    return nlohmann::json::parse(*ReadFile(files, ModelFile("answers.json"), 1 << 20));
  }

  // The rows of answers.json as three columns.
  static Arrays Rows() {
    const nlohmann::json rows = Answers()["rows"];
    Arrays columns;
    for (int c = 0; c < 3; ++c) {
      arrow::DoubleBuilder builder;
      for (const auto& row : rows) EXPECT_TRUE(builder.Append(row[c].get<double>()).ok());
      columns.push_back(*builder.Finish());
    }
    return columns;
  }

  LocalFileSystem files_;
  ManualClock clock_{1'000'000};
  MetricsRegistry metrics_;
  ModelRegistry registry_;
};

TEST_F(ModelRegistryTest, ScoresAsOnnxRuntimeInPythonDoes) {
  const nlohmann::json answers = Answers();
  const Result<Arrays> trees =
      Predict(ModelOf("trees.onnx", ThreeDoubles(), {DoubleField("score"), StringField("model_version")}), Rows());
  ASSERT_TRUE(trees.ok()) << trees.status().ToString();
  ASSERT_EQ(trees->size(), 2u);
  const auto& scores = static_cast<const arrow::DoubleArray&>(*(*trees)[0]);
  ASSERT_EQ(scores.length(), 4);
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(scores.Value(i), answers["trees"]["probabilities"][i][1].get<double>(), 1e-6);
  const auto& versions = static_cast<const arrow::StringArray&>(*(*trees)[1]);
  EXPECT_EQ(versions.GetString(0).substr(0, 6), "trees-");
  EXPECT_EQ(versions.GetString(0).size(), 6u + 12u);

  const Result<Arrays> linear = Predict(ModelOf("linear.onnx", ThreeDoubles(), {DoubleField("score")}), Rows());
  ASSERT_TRUE(linear.ok()) << linear.status().ToString();
  for (int i = 0; i < 4; ++i) {
    EXPECT_NEAR(static_cast<const arrow::DoubleArray&>(*(*linear)[0]).Value(i),
                answers["linear"]["variable"][i][0].get<double>(), 1e-6);
  }
}

TEST_F(ModelRegistryTest, GivesTheSameWhateverThePieceAndBatchSize) {
  arrow::DoubleBuilder builder;
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(builder.Append(std::sin(i)).ok());
  const std::shared_ptr<arrow::Array> column = *builder.Finish();
  const auto score = [&](const std::string& piece, int64_t offset, int64_t rows) {
    const Arrays inputs{column->Slice(offset, rows), column->Slice(offset, rows), column->Slice(offset, rows)};
    Result<Arrays> out =
        Predict(ModelOf("trees.onnx", ThreeDoubles(), {DoubleField("score")}, {{"batch-rows-max", piece}}), inputs);
    EXPECT_TRUE(out.ok()) << out.status().ToString();
    return (*out)[0];
  };
  const std::shared_ptr<arrow::Array> whole = score("100000", 0, 1000);
  EXPECT_TRUE(whole->Equals(score("7", 0, 1000)));
  EXPECT_TRUE(whole->Equals(score("1", 0, 1000)));
  EXPECT_TRUE(whole->Slice(13, 50)->Equals(score("512", 13, 50)));
}

TEST_F(ModelRegistryTest, TakesColumnsOfAnyNumericType) {
  const std::vector<Field> input = {
      {"a", DataType(TypeKind::kTinyInt)}, {"b", DataType(TypeKind::kFloat)}, {"c", DataType::Decimal(10, 2)}};
  const Arrays columns = {Column(arrow::int8(), "[1]"), Column(arrow::float32(), "[2]"),
                          Column(arrow::decimal128(10, 2), R"(["3.00"])")};
  const Result<Arrays> out = Predict(ModelOf("linear.onnx", input, {DoubleField("score")}), columns);
  ASSERT_TRUE(out.ok()) << out.status().ToString();
  EXPECT_NEAR(static_cast<const arrow::DoubleArray&>(*(*out)[0]).Value(0), 1.5, 1e-5);
}

TEST_F(ModelRegistryTest, TakesInputsByName) {
  const Arrays columns = {Column(arrow::int64(), "[1, 2, null]"), Column(arrow::float64(), "[10, 20, 30]")};
  const std::vector<Field> input = {BigIntField("b"), DoubleField("a")};
  const Result<Arrays> out = Predict(ModelOf("by_name.onnx", input, {DoubleField("y")}), columns);
  ASSERT_TRUE(out.ok()) << out.status().ToString();
  EXPECT_TRUE(Holds(*(*out)[0], "[12, 24, null]")) << (*(*out)[0]).ToString();  // a NULL integer: the row is not scored
  const Result<Arrays> with_value =
      Predict(ModelOf("by_name.onnx", input, {DoubleField("y")}, {{"null-value", "7"}}), columns);
  ASSERT_TRUE(with_value.ok());
  EXPECT_TRUE(Holds(*(*with_value)[0], "[12, 24, 44]")) << (*(*with_value)[0]).ToString();
}

TEST_F(ModelRegistryTest, NullBecomesNaNForFloats) {
  const Arrays columns = {Column(arrow::float64(), "[null]"), Column(arrow::float64(), "[1]"),
                          Column(arrow::float64(), "[1]")};
  const Result<Arrays> out = Predict(ModelOf("linear.onnx", ThreeDoubles(), {DoubleField("score")}), columns);
  ASSERT_TRUE(out.ok());
  EXPECT_TRUE(std::isnan(static_cast<const arrow::DoubleArray&>(*(*out)[0]).Value(0)));
  const Result<Arrays> skipped =
      Predict(ModelOf("linear.onnx", ThreeDoubles(), {DoubleField("score"), StringField("model_version")},
                      {{"null-value", "null"}}),
              columns);
  ASSERT_TRUE(skipped.ok());
  EXPECT_TRUE((*skipped)[0]->IsNull(0));
  EXPECT_TRUE((*skipped)[1]->IsNull(0));
}

TEST_F(ModelRegistryTest, GivesTextBooleansAndVectors) {
  const std::vector<Field> input = {StringField("word"), DoubleField("number")};
  const std::vector<Field> output = {StringField("echo"),
                                     {"same", DataType(TypeKind::kBoolean)},
                                     {"pair", DataType::Array(DataType(TypeKind::kDouble))}};
  const Arrays columns = {Column(arrow::utf8(), R"(["x", "", null])"), Column(arrow::float64(), "[0, 2.5, 1]")};
  const Result<Arrays> out = Predict(ModelOf("text.onnx", input, output), columns);
  ASSERT_TRUE(out.ok()) << out.status().ToString();
  EXPECT_TRUE(Holds(*(*out)[0], R"(["x", "", null])")) << (*(*out)[0]).ToString();
  EXPECT_TRUE(Holds(*(*out)[1], "[true, false, null]")) << (*(*out)[1]).ToString();
  EXPECT_TRUE((*out)[2]->Equals(Column((*out)[2]->type(), "[[0, 0], [2.5, 2.5], null]"))) << (*out)[2]->ToString();
}

TEST_F(ModelRegistryTest, ScoresRowByRowWhereTheModelTakesOne) {
  const Arrays columns = {Column(arrow::float64(), "[1, 2]"), Column(arrow::float64(), "[1, 2]"),
                          Column(arrow::float64(), "[1, 2]")};
  const Result<Arrays> out = Predict(ModelOf("one_row.onnx", ThreeDoubles(), {DoubleField("y")}), columns);
  ASSERT_TRUE(out.ok()) << out.status().ToString();
  EXPECT_TRUE(Holds(*(*out)[0], "[3, 6]")) << (*(*out)[0]).ToString();
}

TEST_F(ModelRegistryTest, ChoosesOutputsByOption) {
  const nlohmann::json answers = Answers();
  const std::vector<Field> output = {DoubleField("ok"), BigIntField("what")};
  const Result<Arrays> out =
      Predict(ModelOf("trees.onnx", ThreeDoubles(), output,
                      {{"output.column.ok", "probabilities[0]"}, {"output.column.what", "label"}}),
              Rows());
  ASSERT_TRUE(out.ok()) << out.status().ToString();
  EXPECT_NEAR(static_cast<const arrow::DoubleArray&>(*(*out)[0]).Value(1),
              answers["trees"]["probabilities"][1][0].get<double>(), 1e-6);
  EXPECT_TRUE(Holds(*(*out)[1], "[0, 1, 0, 1]")) << (*(*out)[1]).ToString();
}

struct Misfit {
  const char* file;
  std::vector<Field> input;
  std::vector<Field> output;
  std::map<std::string, std::string> options;
  const char* message;  // a part of it, or of the hint
  int line;             // of the position
};

TEST_F(ModelRegistryTest, SaysWhatDoesNotFit) {
  const std::vector<Field> three = ThreeDoubles();
  const std::vector<Field> score = {DoubleField("score")};
  const std::vector<Misfit> cases = {
      {"trees.onnx",
       {DoubleField("a"), DoubleField("b")},
       score,
       {},
       "takes 3 values a row, INPUT declares 2 columns",
       1},
      {"trees.onnx",
       {DoubleField("a"), DoubleField("b"), StringField("c")},
       score,
       {},
       "INPUT column 'c' is STRING",
       1},
      {"trees.onnx", three, {StringField("score")}, {}, "could come from several", 1},
      {"trees.onnx", three, {BigIntField("probabilities")}, {}, "has 2 values a row", 1},
      {"trees.onnx", three, {{"label", DataType(TypeKind::kInt)}}, {}, "OUTPUT column 'label' is INT", 1},
      {"trees.onnx", three, {DoubleField("x"), DoubleField("y"), DoubleField("z")}, {}, "could come from several", 1},
      {"trees.onnx", three, {StringField("model_version")}, {}, "no OUTPUT column takes anything", 1},
      {"trees.onnx", three, score, {{"output.column", "probabilities[2]"}}, "no number 2", 1},
      {"trees.onnx", three, score, {{"output.column", "proba[1]"}}, "no output 'proba'", 10},
      {"trees.onnx", three, score, {{"null-value", "many"}}, "expected a number", 10},
      {"trees.onnx", three, score, {{"batch-rows-max", "0"}}, "must be 1", 10},
      {"trees.onnx", three, score, {{"device", "cuda"}}, "only 'cpu'", 10},
      {"trees.onnx", three, score, {{"reload-interval", "soon"}}, "soon", 12},
      {"trees.onnx", three, score, {{"batch-row-max", "5"}}, "did you mean 'batch-rows-max'", 10},
      {"trees.onnx", three, score, {{"provider", "onx"}}, "no model provider 'onx'", 11},
      {"trees.onnx", three, score, {{"model-bytes-max", "1 kb"}}, "", 11},
      {"zipmap.onnx", three, score, {}, "zipmap", 1},
      {"by_name.onnx", {DoubleField("aa"), BigIntField("b")}, {DoubleField("y")}, {}, "its input 'a'", 1},
      {"by_name.onnx", {DoubleField("a"), DoubleField("b")}, {DoubleField("y")}, {}, "INPUT column 'b' is DOUBLE", 1},
      {"by_name.onnx",
       {DoubleField("a"), BigIntField("b"), DoubleField("c")},
       {DoubleField("y")},
       {},
       "'c' is no input",
       1},
      {"fixed_batch.onnx", three, score, {}, "exactly 4 rows at a time", 1},
      {"image.onnx", three, score, {}, "4 dimensions", 1},
      {"external.onnx", {DoubleField("X")}, {DoubleField("y")}, {}, "outside the model file", 10},
      {"answers.json", three, score, {}, "not an ONNX model", 10},
      {"nowhere.onnx", three, score, {}, "nowhere.onnx", 10},
  };
  for (const Misfit& misfit : cases) {
    const Status status = Refusal(ModelOf(misfit.file, misfit.input, misfit.output, misfit.options));
    ASSERT_FALSE(status.ok()) << misfit.message;
    const std::string text = RenderError(status, "");
    EXPECT_NE(text.find(misfit.message), std::string::npos) << text << "\n expected: " << misfit.message;
    ASSERT_TRUE(status.position().has_value()) << text;
    EXPECT_EQ(status.position()->line, misfit.line) << text;
  }
}

TEST_F(ModelRegistryTest, ListsWhatTheModelHasAndWhatWasDeclared) {
  const std::string text = RenderError(Refusal(ModelOf("trees.onnx", {DoubleField("a")}, {DoubleField("score")})), "");
  for (const char* part : {"TM2120", "X float32[?, 3]", "label int64[?]", "probabilities float32[?, 2]", "a DOUBLE"}) {
    EXPECT_NE(text.find(part), std::string::npos) << text << "\n expected: " << part;
  }
}

TEST_F(ModelRegistryTest, FailsTheBatchWhenTheModelMisbehaves) {
  const Result<Arrays> out = Predict(ModelOf("no_rows.onnx", ThreeDoubles(), {DoubleField("y")}), Rows());
  ASSERT_FALSE(out.ok());
  EXPECT_TRUE(out.status().Is(kPredictionFailed)) << out.status().ToString();
  EXPECT_NE(out.status().message().find("shape [1, 1] for 4 rows"), std::string::npos) << out.status().message();
  EXPECT_EQ(metrics_.SumCounter("tidemill_inference_errors_total"), 1);
}

TEST_F(ModelRegistryTest, DescribesAFile) {
  const Result<ModelDescription> description = registry_.Describe(Config({{"path", ModelFile("trees.onnx")}}));
  ASSERT_TRUE(description.ok()) << description.status().ToString();
  EXPECT_EQ(description->inputs.size(), 1u);
  EXPECT_EQ(description->outputs.size(), 2u);
  EXPECT_EQ(description->version.sha256.size(), 64u);
  EXPECT_EQ(description->version.name, "trees-" + description->version.sha256.substr(0, 12));
}

TEST_F(ModelRegistryTest, MissingLibraryIsSaid) {
  ModelRegistry registry(files_, clock_, metrics_,
                         ModelRegistryOptions{.onnx_library = "/nonexistent/libonnxruntime.so", .watch = false});
  const Status status = registry.Validate(ModelOf("trees.onnx", ThreeDoubles(), {DoubleField("score")}));
  ASSERT_FALSE(status.ok());
  EXPECT_TRUE(status.Is(kOnnxRuntimeMissing)) << status.ToString();
  EXPECT_NE(status.message().find("/nonexistent/libonnxruntime.so"), std::string::npos);
}

TEST_F(ModelRegistryTest, TheExamplesModelFitsItsDeclaration) {
  std::vector<Field> input = {
      DoubleField("amount"), {"is_weekend", DataType(TypeKind::kInt)}, {"is_night", DataType(TypeKind::kInt)}};
  for (const char* name : {"customer_count", "customer_mean", "terminal_count", "terminal_fraud_rate"}) {
    for (const char* days : {"_1d", "_7d", "_30d"}) {
      const std::string column = std::string(name) + days;
      input.push_back(column.find("count") != std::string::npos ? BigIntField(column) : DoubleField(column));
    }
  }
  input.push_back(BigIntField("seconds_since_last"));
  const ModelDefinition definition = ModelOf("", input, {DoubleField("score"), StringField("model_version")},
                                             {{"path", "examples/fraud/fraud_model.onnx"}});
  Arrays row;
  for (const Field& field : input)
    row.push_back(Column(ToArrow(field.type), field.name == "seconds_since_last" ? "[null]" : "[1]"));
  const Result<Arrays> out = Predict(definition, row);
  ASSERT_TRUE(out.ok()) << RenderError(out.status(), "");
  const double score = static_cast<const arrow::DoubleArray&>(*(*out)[0]).Value(0);
  EXPECT_GT(score, 0);
  EXPECT_LT(score, 1);
}

class ReloadTest : public ModelRegistryTest {
 protected:
  void SetUp() override {
    path_ = ::testing::TempDir() + "reload_" + std::to_string(getpid()) + ".onnx";
    Put("linear.onnx");
  }
  void TearDown() override { (void)files_.Remove(path_).ok(); }
  void Put(const std::string& file) { PutBytes(*ReadFile(files_, ModelFile(file), 1 << 20)); }
  void PutBytes(const std::string& bytes) { ASSERT_TRUE(WriteFileAtomically(files_, path_, bytes).ok()); }
  ModelDefinition Definition() {
    return ModelOf("", ThreeDoubles(), {DoubleField("score"), StringField("model_version")},
                   {{"path", path_}, {"reload-interval", "1 s"}});
  }
  void Look() {
    clock_.AdvanceMicros(1'000'001);
    registry_.CheckForChanges();
  }
  std::string path_;
};

TEST_F(ReloadTest, NewFileTakesOverBetweenBatchesAndABadOneDoesNot) {
  const nlohmann::json answers = Answers();
  Result<std::unique_ptr<Predictor>> predictor = registry_.MakePredictor(Definition(), {});
  ASSERT_TRUE(predictor.ok()) << predictor.status().ToString();
  const auto score = [&](int row) {
    Result<Arrays> out = (*predictor)->Predict(Rows(), 4);
    EXPECT_TRUE(out.ok()) << out.status().ToString();
    return std::make_pair(static_cast<const arrow::DoubleArray&>(*(*out)[0]).Value(row),
                          static_cast<const arrow::StringArray&>(*(*out)[1]).GetString(row));
  };
  const auto first = score(1);
  EXPECT_NEAR(first.first, answers["linear"]["variable"][1][0].get<double>(), 1e-6);

  Put("linear_v2.onnx");
  EXPECT_EQ(score(1), first);  // nobody looked yet
  registry_.CheckForChanges();
  EXPECT_EQ(score(1), first);  // the interval is not over
  Look();
  const auto second = score(2);
  EXPECT_NEAR(second.first, answers["linear_v2"]["variable"][2][0].get<double>(), 1e-6);
  EXPECT_NE(second.second, first.second);

  PutBytes("rubbish");
  Look();
  EXPECT_EQ(score(2), second);
  Put("by_name.onnx");  // a good model of another shape
  Look();
  EXPECT_EQ(score(2), second);
  EXPECT_NE(metrics_.RenderText().find("tidemill_model_reloads_total{model=\"m\",result=\"failed\"} 2"),
            std::string::npos)
      << metrics_.RenderText();
  ASSERT_TRUE(files_.Remove(path_).ok());
  Look();
  EXPECT_EQ(score(2), second);
  Put("linear.onnx");
  Look();
  EXPECT_EQ(score(1), first);
  EXPECT_EQ(registry_.CurrentVersion(Definition())->name, first.second);
  EXPECT_EQ(metrics_.SumCounter("tidemill_predictions_total"), 4 * 8);
  EXPECT_NE(metrics_.RenderText().find("version=\"" + first.second + "\""), std::string::npos);
}

TEST_F(ReloadTest, TheWatcherLooksByItself) {
  SystemClock clock;
  ModelRegistry registry(files_, clock, metrics_);
  ModelDefinition definition = Definition();
  definition.options.Set("reload-interval", "1 ms");
  const std::string first = registry.CurrentVersion(definition)->name;
  Put("linear_v2.onnx");
  const int64_t deadline = clock.MonotonicNanos() + 20'000'000'000;
  while (registry.CurrentVersion(definition)->name == first && clock.MonotonicNanos() < deadline)
    std::this_thread::yield();
  EXPECT_NE(registry.CurrentVersion(definition)->name, first);
}

TEST_F(ReloadTest, OneModelServesSeveralThreadsWhileItChanges) {
  std::atomic<bool> stop{false};
  std::atomic<int> scored{0};
  std::vector<std::thread> lanes;
  for (int lane = 0; lane < 2; ++lane) {
    lanes.emplace_back([&] {
      Result<std::unique_ptr<Predictor>> predictor = registry_.MakePredictor(Definition(), {});
      ASSERT_TRUE(predictor.ok());
      const Arrays rows = Rows();
      while (!stop.load()) {
        const Result<Arrays> out = (*predictor)->Predict(rows, 4);
        ASSERT_TRUE(out.ok()) << out.status().ToString();
        // One call, one version.
        const double value = static_cast<const arrow::DoubleArray&>(*(*out)[0]).Value(2);
        EXPECT_TRUE(std::abs(value - 5) < 1e-4 || std::abs(value - 7) < 1e-4) << value;
        ++scored;
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    Put(i % 2 ? "linear.onnx" : "linear_v2.onnx");
    Look();
  }
  while (scored.load() < 100) std::this_thread::yield();
  stop = true;
  for (std::thread& lane : lanes) lane.join();
}

}  // namespace
}  // namespace tidemill
