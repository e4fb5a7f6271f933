#include <arrow/api.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/random.h"
#include "data/format.h"
#include "data/tests/collect_rejects.h"

namespace tidemill {
namespace {

using Json = nlohmann::json;

std::string RandomText(Random& random) {
  static const char* const kPieces[] = {"a", "\"", "\\", "/", "\n",   "\t",  "é", "😀", "{",     "}",
                                        "[", "]",  ",",  ":", "\x01", "xyz", " ", "0", "\u2028"};
  std::string text;
  for (uint64_t n = random.Uniform(12); n > 0; --n) text += kPieces[random.Uniform(std::size(kPieces))];
  return text;
}

Json RandomValue(Random& random, int depth) {
  switch (random.Uniform(depth > 0 ? 8 : 6)) {
    case 0:
      return nullptr;
    case 1:
      return random.Uniform(2) == 0;
    case 2:
      return static_cast<int64_t>(random.Next());
    case 3:
      return static_cast<int64_t>(random.Uniform(2000)) - 1000;
    case 4:
      return (random.Double() - 0.5) * 1e6;
    case 5:
      return RandomText(random);
    case 6: {
      Json list = Json::array();
      for (uint64_t n = random.Uniform(4); n > 0; --n) list.push_back(RandomValue(random, depth - 1));
      return list;
    }
    default: {
      Json object = Json::object();
      for (uint64_t n = random.Uniform(4); n > 0; --n) object[RandomText(random)] = RandomValue(random, depth - 1);
      return object;
    }
  }
}

// Blanks between tokens do not matter; put some where the dump has none.
std::string Spaced(const std::string& text, Random& random) {
  std::string out;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (!quoted && random.Uniform(6) == 0 && std::string_view("{}[],:\"").find(text[i]) != std::string_view::npos)
      out += " \t\r"[random.Uniform(3)];
    out += text[i];
    if (quoted && text[i] == '\\')
      out += text[++i];
    else if (text[i] == '"')
      quoted = !quoted;
  }
  return out;
}

// Random objects, written by another library: every wanted field comes out as it went in, whatever stands around it.
TEST(JsonProperty, ReadsWhatAnotherLibraryWrote) {
  const uint64_t seed = 20240501;
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  const Schema schema(
      {{"i", DataType(TypeKind::kBigInt)}, {"s", DataType(TypeKind::kString)}, {"d", DataType(TypeKind::kDouble)}});
  auto decoder = MakeJsonDecoder(schema, Config());
  for (int round = 0; round < 200; ++round) {
    std::vector<Json> objects;
    std::vector<std::string> lines;
    for (int row = 0; row < 50; ++row) {
      Json object = Json::object();
      for (uint64_t n = random.Uniform(5); n > 0; --n) object[RandomText(random)] = RandomValue(random, 3);
      if (random.Uniform(5) != 0) object["i"] = static_cast<int64_t>(random.Next());
      if (random.Uniform(5) != 0) object["s"] = RandomText(random);
      if (random.Uniform(5) != 0) object["d"] = (random.Double() - 0.5) * 1e9;
      lines.push_back(Spaced(object.dump(-1, ' ', random.Uniform(2) == 0), random));
      objects.push_back(std::move(object));
    }
    std::vector<EncodedRow> input;
    for (const std::string& line : lines) input.push_back({line, 0});
    CollectRejects rejects;
    auto output = (*decoder)->Decode(input, rejects);
    ASSERT_TRUE(output.ok());
    ASSERT_TRUE(rejects.rows.empty()) << rejects.Lines()[0] << " in " << rejects.rows[0].raw;
    const auto& i = static_cast<const arrow::Int64Array&>(*output->rows->column(0));
    const auto& s = static_cast<const arrow::StringArray&>(*output->rows->column(1));
    const auto& d = static_cast<const arrow::DoubleArray&>(*output->rows->column(2));
    for (int row = 0; row < 50; ++row) {
      const Json& object = objects[static_cast<size_t>(row)];
      ASSERT_EQ(i.IsValid(row), object.contains("i"));
      ASSERT_EQ(s.IsValid(row), object.contains("s"));
      ASSERT_EQ(d.IsValid(row), object.contains("d"));
      if (i.IsValid(row)) {
        ASSERT_EQ(i.Value(row), object["i"].get<int64_t>());
      }
      if (s.IsValid(row)) {
        ASSERT_EQ(s.GetView(row), object["s"].get<std::string>());
      }
      if (d.IsValid(row)) {
        ASSERT_EQ(d.Value(row), object["d"].get<double>());
      }
    }
  }
}

// Damaged flat objects: what this reader takes another parser takes too and the reverse, and no row spills into its
// neighbours.
TEST(JsonProperty, AgreesWithAnotherParserOnWhatIsJson) {
  const uint64_t seed = 77;
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  const Schema schema(
      {{"a", DataType(TypeKind::kString)}, {"b", DataType(TypeKind::kString)}, {"c", DataType(TypeKind::kString)}});
  auto decoder = MakeJsonDecoder(schema, Config());
  static constexpr std::string_view kBytes = "{}[]:,\"\\ntfu0123456789.+- \t\n\r\x01\x7f\x80\xff";
  int taken = 0;
  int refused = 0;
  for (int round = 0; round < 30000; ++round) {
    Json object = Json::object();
    for (const char* name : {"a", "b", "c"}) {
      if (random.Uniform(4) != 0) object[name] = RandomValue(random, 0);
    }
    std::string text = object.dump();
    for (uint64_t n = 1 + random.Uniform(2); n > 0 && !text.empty(); --n) {
      const size_t at = random.Uniform(text.size());
      const char byte = kBytes[random.Uniform(kBytes.size())];
      switch (random.Uniform(3)) {
        case 0:
          text[at] = byte;
          break;
        case 1:
          text.insert(at, 1, byte);
          break;
        default:
          text.erase(at, 1);
          break;
      }
    }
    const Json parsed = Json::parse(text, nullptr, false);
    // Keys that are not columns have values that are skipped, and nested ones are kept as text: neither is parsed.
    bool strict = parsed.is_object() || parsed.is_discarded();
    if (parsed.is_object()) {
      for (const auto& [key, value] : parsed.items())
        strict &= schema.IndexOf(key).has_value() && !value.is_structured();
    } else if (parsed.is_discarded()) {
      strict = text.find('[', 1) == std::string::npos && text.find('{', 1) == std::string::npos;
      for (const char* name : {"\"a\"", "\"b\"", "\"c\""})
        strict &= !object.contains(std::string(1, name[1])) || text.find(name) != std::string::npos;
    }
    const std::string before = R"({"a":"before"})";
    const std::string after = R"({"a":"after"})";
    const EncodedRow input[] = {{before, 1}, {text, 2}, {after, 3}};
    CollectRejects rejects;
    auto output = (*decoder)->Decode(input, rejects);
    ASSERT_TRUE(output.ok());
    ASSERT_TRUE(output->rows->ValidateFull().ok()) << text;
    const auto& index = output->input_index;
    ASSERT_EQ(index.front(), 0) << text;
    ASSERT_EQ(index.back(), 2) << text;
    for (const RejectedRow& row : rejects.rows) ASSERT_EQ(row.offset, 2) << text;
    const bool ours = rejects.rows.empty();
    if (!strict) continue;
    ASSERT_EQ(ours, parsed.is_object()) << text << (ours ? "" : " refused: " + rejects.Lines()[0]);
    ++(ours ? taken : refused);
  }
  EXPECT_GT(taken, 1000);
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace tidemill
