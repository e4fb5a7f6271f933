#include <optional>

#include <simdjson.h>

#include "function/function_groups.h"
#include "function/internal/bind.h"
#include "function/internal/json_path.h"
#include "function/internal/number_text.h"
#include "function/internal/row_kernel.h"

namespace tidemill {

bool JsonPath::Make(std::string_view text, JsonPath& out) {
  out.steps.clear();
  text = TrimBlanks(text);
  for (std::string_view mode : {"lax ", "strict "}) {
    if (text.starts_with(mode)) text = TrimBlanks(text.substr(mode.size()));
  }
  if (!text.starts_with('$')) return false;
  text.remove_prefix(1);
  while (!text.empty()) {
    Step step;
    if (text[0] == '.') {
      text.remove_prefix(1);
      if (text.starts_with('"')) {
        const size_t close = text.find('"', 1);
        if (close == std::string_view::npos) return false;
        step.key = text.substr(1, close - 1);
        text.remove_prefix(close + 1);
      } else {
        const size_t end = std::min(text.find_first_of(".["), text.size());
        if (end == 0 || text.substr(0, end).find_first_of("*?@ ()") != std::string_view::npos) return false;
        step.key = text.substr(0, end);
        text.remove_prefix(end);
      }
    } else if (text.starts_with("['") || text.starts_with("[\"")) {
      const size_t close = text.find(std::string(1, text[1]) + "]", 2);
      if (close == std::string_view::npos) return false;
      step.key = text.substr(2, close - 2);
      text.remove_prefix(close + 2);
    } else if (text[0] == '[') {
      const size_t close = text.find(']');
      if (close == std::string_view::npos || !ParseInteger(text.substr(1, close - 1), 0, INT32_MAX, step.index))
        return false;
      text.remove_prefix(close + 1);
    } else {
      return false;
    }
    out.steps.push_back(std::move(step));
  }
  return true;
}

namespace {

namespace dom = simdjson::dom;
using Text = std::string_view;

// Runs `compute(found, out)` with what the path in column 1 finds in the JSON text of column 0: nothing when the text
// is no JSON or the path leads nowhere (lax mode).
template <typename Out, typename F>
Result<arrow::Datum> JsonRows(EvalContext& context, std::span<const arrow::Datum> args, const DataType& result,
                              F&& compute) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  TM_ASSIGN_OR_RETURN(Validity validity, frame.StrictValidity());
  const Reader<Text> json(frame.column(0), frame.is_constant(0)), path_text(frame.column(1), frame.is_constant(1));
  dom::parser parser;
  JsonPath path;
  std::string made_of;
  bool made = false, path_ok = false;
  return RunRows<Out>(frame, std::move(validity), result, [&](Row& row, Out& out) {
    if (!made || path_text(row.index) != made_of) {
      made_of = path_text(row.index);
      made = true;
      path_ok = JsonPath::Make(made_of, path);
    }
    if (!path_ok) {
      row.Raise(kInvalidArgument,
                "JSON path '" + made_of.substr(0, 64) + "' is not supported: members and element numbers alone are");
      return false;
    }
    dom::element at;
    std::optional<dom::element> found;
    const Text text = json(row.index);
    if (parser.parse(text.data(), text.size()).get(at) == simdjson::SUCCESS) {
      bool there = true;
      for (const JsonPath::Step& step : path.steps) {
        if (step.index >= 0) {
          dom::array array;
          // In lax mode a value is an array of itself.
          if (at.get(array) == simdjson::SUCCESS)
            there = array.at(static_cast<size_t>(step.index)).get(at) == simdjson::SUCCESS;
          else
            there = step.index == 0;
        } else {
          dom::object object;
          there = at.get(object) == simdjson::SUCCESS &&
                  object.at_key(std::string_view(step.key)).get(at) == simdjson::SUCCESS;
        }
        if (!there) break;
      }
      if (there) found = at;
    }
    return compute(found, out);
  });
}

bool AppendScalar(const dom::element& value, std::string& out) {
  switch (value.type()) {
    case dom::element_type::STRING:
      out = std::string_view(value);
      return true;
    case dom::element_type::INT64:
      AppendInteger(int64_t(value), out);
      return true;
    case dom::element_type::UINT64:
      out = std::to_string(uint64_t(value));
      return true;
    case dom::element_type::DOUBLE:
      AppendFloating(double(value), out);
      return true;
    case dom::element_type::BOOL:
      out = bool(value) ? "true" : "false";
      return true;
    default:
      return false;
  }
}

Result<arrow::Datum> JsonValueKernel(EvalContext& context, std::span<const arrow::Datum> args, const DataType& result) {
  return JsonRows<std::string>(context, args, result, [](const std::optional<dom::element>& found, std::string& out) {
    return found && AppendScalar(*found, out);
  });
}

Result<arrow::Datum> JsonExistsKernel(EvalContext& context, std::span<const arrow::Datum> args,
                                      const DataType& result) {
  return JsonRows<bool>(context, args, result, [](const std::optional<dom::element>& found, bool& out) {
    out = found.has_value();
    return true;
  });
}

Result<arrow::Datum> JsonQueryKernel(EvalContext& context, std::span<const arrow::Datum> args, const DataType& result) {
  return JsonRows<std::string>(context, args, result, [](const std::optional<dom::element>& found, std::string& out) {
    if (!found || !(found->is_object() || found->is_array())) return false;
    out = simdjson::minify(*found);
    return true;
  });
}

Result<arrow::Datum> IsJsonKernel(EvalContext& context, std::span<const arrow::Datum> args, const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  TM_ASSIGN_OR_RETURN(Validity validity, frame.StrictValidity());
  const Reader<Text> json(frame.column(0), frame.is_constant(0));
  dom::parser parser;
  return RunRows<bool>(frame, std::move(validity), result, [&](Row& row, bool& out) {
    const Text text = json(row.index);
    out = parser.parse(text.data(), text.size()).error() == simdjson::SUCCESS;
    return true;
  });
}

Result<ResolvedCall> BindJson(std::string_view name, Args args, DataType result, ScalarKernel kernel, Nulls nulls) {
  return Bind(name, args, {StringType(), StringType()}, std::move(result), kernel, nulls);
}

}  // namespace

std::vector<ScalarFunction> JsonFunctions() {
  return {
      {"JSON_VALUE", "JSON_VALUE(json STRING, path STRING) -> STRING",
       "The text, number or truth value at the path; NULL when there is none.",
       "JSON_VALUE('{\"a\": [{\"b\": 7}]}', '$.a[0].b')", "7",
       [](Args args) { return BindJson("JSON_VALUE", args, StringType(), JsonValueKernel, Nulls::kMaybe); }},
      {"JSON_QUERY", "JSON_QUERY(json STRING, path STRING) -> STRING",
       "The object or array at the path as JSON; NULL when there is none.",
       "JSON_QUERY('{\"a\": [1, {\"b\": 7}]}', '$.a')", "[1,{\"b\":7}]",
       [](Args args) { return BindJson("JSON_QUERY", args, StringType(), JsonQueryKernel, Nulls::kMaybe); }},
      {"JSON_EXISTS", "JSON_EXISTS(json STRING, path STRING) -> BOOLEAN", "Whether there is something at the path.",
       "JSON_EXISTS('{\"a\": null}', '$.a')", "TRUE",
       [](Args args) {
         return BindJson("JSON_EXISTS", args, BooleanType(), JsonExistsKernel, Nulls::kWhereArguments);
       }},
      {"IS JSON", "text IS JSON", "Whether the text is JSON.", "'[1, 2' IS JSON", "FALSE",
       [](Args args) { return Bind("IS JSON", args, {StringType()}, BooleanType(), IsJsonKernel); }},
  };
}

}  // namespace tidemill
