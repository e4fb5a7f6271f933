#include "function/function_groups.h"
#include "function/internal/bind.h"
#include "function/internal/row_kernel.h"
#include "function/internal/utf8.h"

namespace tidemill {
namespace {

using Text = std::string_view;

// Positions are characters from 1; 0 = not there. An empty needle is everywhere.
int32_t FindFrom(Text text, Text needle, int64_t start) {
  if (start < 1) return 0;
  const size_t from = ByteOfChar(text, start - 1);
  if (from >= text.size() && !(needle.empty() && start - 1 <= CountChars(text))) return 0;
  const size_t at = text.find(needle, from);
  return at == Text::npos ? 0 : static_cast<int32_t>(CountChars(text.substr(0, at))) + 1;
}
void Position(Row&, Text needle, Text text, int32_t& out) { out = FindFrom(text, needle, 1); }
void LocateFrom(Row&, Text needle, Text text, int32_t start, int32_t& out) { out = FindFrom(text, needle, start); }
void Instr(Row&, Text text, Text needle, int32_t& out) { out = FindFrom(text, needle, 1); }

// The nth occurrence at or after `start`; a negative start counts from the end and searches backwards.
bool InstrNth(Row& row, Text text, Text needle, int32_t start, int32_t nth, int32_t& out) {
  if (nth < 1 || start == 0) {
    row.Raise(kInvalidArgument, "INSTR: the start must not be 0, and the occurrence at least 1");
    return false;
  }
  out = 0;
  const int64_t chars = CountChars(text);
  for (int64_t at = start > 0 ? start : chars + start + 1; at >= 1 && at <= chars; at += start > 0 ? 1 : -1) {
    if (!text.substr(ByteOfChar(text, at - 1)).starts_with(needle)) continue;
    if (--nth > 0) continue;
    out = static_cast<int32_t>(at);
    break;
  }
  return true;
}
bool InstrFrom(Row& row, Text text, Text needle, int32_t start, int32_t& out) {
  return InstrNth(row, text, needle, start, 1, out);
}

Result<ResolvedCall> BindInstr(Args args) {
  if (args.size() == 3) {
    return Bind("INSTR", args, {StringType(), StringType(), IntType()}, IntType(),
                RowKernel<InstrFrom, int32_t, Text, Text, int32_t>);
  }
  if (args.size() == 4) {
    return Bind("INSTR", args, {StringType(), StringType(), IntType(), IntType()}, IntType(),
                RowKernel<InstrNth, int32_t, Text, Text, int32_t, int32_t>);
  }
  return Bind("INSTR", args, {StringType(), StringType()}, IntType(), RowKernel<Instr, int32_t, Text, Text>);
}

Result<ResolvedCall> BindLocate(Args args) {
  if (args.size() == 3) {
    return Bind("LOCATE", args, {StringType(), StringType(), IntType()}, IntType(),
                RowKernel<LocateFrom, int32_t, Text, Text, int32_t>);
  }
  return Bind("LOCATE", args, {StringType(), StringType()}, IntType(), RowKernel<Position, int32_t, Text, Text>);
}

void StartsWith(Row&, Text text, Text start, bool& out) { out = text.starts_with(start); }
void EndsWith(Row&, Text text, Text end, bool& out) { out = text.ends_with(end); }

template <auto kFn>
Result<ResolvedCall> BindEnds(std::string_view name, Args args) {
  const DataType type = !args.empty() && args[0].type.kind() == TypeKind::kBytes ? BytesType() : StringType();
  return Bind(name, args, {type, type}, BooleanType(), RowKernel<kFn, bool, Text, Text>);
}

// As Java's String.replace: an empty needle stands before each character and at the end.
void Replace(Row&, Text text, Text needle, Text by, std::string& out) {
  size_t at = 0;
  while (at <= text.size()) {
    if (needle.empty()) {
      out += by;
      if (at == text.size()) return;
      const size_t bytes = CharBytes(text, at);
      out += text.substr(at, bytes);
      at += bytes;
      continue;
    }
    const size_t found = text.find(needle, at);
    if (found == Text::npos) break;
    out += text.substr(at, found - at);
    out += by;
    at = found + needle.size();
  }
  out += text.substr(at);
}

bool SplitIndex(Row&, Text text, Text separator, int32_t index, std::string& out) {
  if (index < 0 || text.empty()) return false;
  if (separator.empty()) {
    out = text;
    return index == 0;
  }
  for (size_t at = 0;; --index) {
    const size_t end = text.find(separator, at);
    if (index == 0) {
      out = text.substr(at, end == Text::npos ? end : end - at);
      return true;
    }
    if (end == Text::npos) return false;
    at = end + separator.size();
  }
}

void Translate(Row&, Text text, Text from, Text to, std::string& out) {
  while (!text.empty()) {
    const Text character = text.substr(0, CharBytes(text, 0));
    text.remove_prefix(character.size());
    const size_t at = from.find(character);
    if (at == Text::npos) {
      out += character;
      continue;
    }
    const size_t target = ByteOfChar(to, CountChars(from.substr(0, at)));
    if (target < to.size()) out += to.substr(target, CharBytes(to, target));
  }
}

}  // namespace

std::vector<ScalarFunction> StringSearchFunctions() {
  return {
      {"POSITION", "POSITION(needle STRING IN text STRING) -> INT",
       "Where the needle first is, in characters from 1; 0 when it is not there.", "POSITION('mill' IN 'tidemill')",
       "5",
       [](Args args) {
         return Bind("POSITION", args, {StringType(), StringType()}, IntType(),
                     RowKernel<Position, int32_t, Text, Text>);
       }},
      {"LOCATE", "LOCATE(needle STRING, text STRING [, start INT]) -> INT",
       "Where the needle first is at or after the start; 0 when it is not there.", "LOCATE('i', 'tidemill', 3)", "6",
       BindLocate},
      {"INSTR", "INSTR(text STRING, needle STRING [, start INT [, nth INT]]) -> INT",
       "Where the needle is for the nth time; a negative start searches backwards from the end.",
       "INSTR('tidemill', 'l', -1)", "8", BindInstr},
      {"STARTSWITH", "STARTSWITH(text STRING, start STRING) -> BOOLEAN", "Whether the text starts so.",
       "STARTSWITH('tidemill', 'tide')", "TRUE", [](Args args) { return BindEnds<StartsWith>("STARTSWITH", args); }},
      {"ENDSWITH", "ENDSWITH(text STRING, end STRING) -> BOOLEAN", "Whether the text ends so.",
       "ENDSWITH('tidemill', 'tide')", "FALSE", [](Args args) { return BindEnds<EndsWith>("ENDSWITH", args); }},
      {"REPLACE", "REPLACE(text STRING, needle STRING, by STRING) -> STRING", "The text with each needle replaced.",
       "REPLACE('windmill', 'wind', 'tide')", "tidemill",
       [](Args args) {
         return Bind("REPLACE", args, {StringType(), StringType(), StringType()}, StringType(),
                     RowKernel<Replace, std::string, Text, Text, Text>);
       }},
      {"TRANSLATE", "TRANSLATE(text STRING, from STRING, to STRING) -> STRING",
       "Each character of `from` replaced by the one at its place in `to`, or left out where there is none.",
       "TRANSLATE('tide', 'te', 'r')", "rid",
       [](Args args) {
         return Bind("TRANSLATE", args, {StringType(), StringType(), StringType()}, StringType(),
                     RowKernel<Translate, std::string, Text, Text, Text>);
       }},
      {"SPLIT_INDEX", "SPLIT_INDEX(text STRING, separator STRING, index INT) -> STRING",
       "The piece with that number, from 0; NULL when there are fewer.", "SPLIT_INDEX('a,b,c', ',', 1)", "b",
       [](Args args) {
         return Bind("SPLIT_INDEX", args, {StringType(), StringType(), IntType()}, StringType(),
                     RowKernel<SplitIndex, std::string, Text, Text, int32_t>, Nulls::kMaybe);
       }},
  };
}

}  // namespace tidemill
