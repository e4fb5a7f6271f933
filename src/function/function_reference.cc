#include "function/function_reference.h"

#include <algorithm>
#include <string_view>

#include "function/function_groups.h"

namespace tidemill {
namespace {

constexpr std::string_view kIntroduction = R"(# Functions

Made from the function table in `src/function`; a test fails when this page and the table differ. Names are not case-sensitive. Where nothing
else is said, a NULL argument gives NULL, and what can't be computed (a failing CAST, a division of integers by zero, a malformed pattern) is an
error of its row: the row is rejected with its reason, and the others go on.

Part of the language rather than of the table: `AND`, `OR`, `CASE`, `CAST(x AS type)`, `TRY_CAST(x AS type)` (NULL where CAST fails),
`COALESCE(x, ...)`, `IFNULL(x, y)`, `NULLIF(x, y)`, `IF(condition, x, y)`, `x [NOT] BETWEEN [SYMMETRIC] y AND z`, `x [NOT] IN (...)`.
)";

// Inside of a table a bar ends the cell.
std::string Code(std::string_view text) {
  if (text.empty()) return "";
  std::string out = "`";
  for (char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out + "`";
}

std::string Cell(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '|' || c == '*' || c == '<') out += '\\';
    out += c;
  }
  return out;
}

template <typename T>
void AppendGroup(std::string_view title, std::vector<T> rows, std::string& out) {
  std::sort(rows.begin(), rows.end(), [](const T& a, const T& b) { return a.name < b.name; });
  out +=
      "\n## " + std::string(title) + "\n\n| Function | What it gives | Example | Result |\n| --- | --- | --- | --- |\n";
  for (const T& row : rows) {
    out += "| " + Code(row.signature) + " | " + Cell(row.summary) + " | " + Code(row.example) + " | " +
           Code(row.example_result) + " |\n";
  }
}

template <typename T>
std::vector<T> Joined(std::vector<T> a, std::vector<T> b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace

std::string RenderFunctionReference() {
  std::string out(kIntroduction);
  AppendGroup("Arithmetic", ArithmeticFunctions(), out);
  AppendGroup("Mathematics", MathFunctions(), out);
  AppendGroup("Comparison", Joined(ComparisonFunctions(), ConditionalFunctions()), out);
  AppendGroup("Logic", LogicFunctions(), out);
  AppendGroup("Text", Joined(StringFunctions(), StringSearchFunctions()), out);
  AppendGroup("Patterns", PatternFunctions(), out);
  AppendGroup("Digests and encodings", EncodingFunctions(), out);
  AppendGroup("JSON", JsonFunctions(), out);
  AppendGroup("Time", Joined(Joined(TimeFieldFunctions(), TimeTextFunctions()), TimeArithmeticFunctions()), out);
  AppendGroup("Arrays, maps and rows", CollectionFunctions(), out);
  AppendGroup("Aggregates",
              Joined(Joined(Joined(BasicAggregates(), ExtremeAggregates()),
                            Joined(StatisticAggregates(), PositionAggregates())),
                     Joined(DistinctAggregates(), CollectionAggregates())),
              out);
  AppendGroup("Only with OVER", OverOnlyAggregates(), out);
  return out;
}

}  // namespace tidemill
