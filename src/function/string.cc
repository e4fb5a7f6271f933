#include <arrow/compute/api_scalar.h>

#include "function/function_groups.h"
#include "function/internal/bind.h"
#include "function/internal/row_kernel.h"
#include "function/internal/utf8.h"

namespace tidemill {
namespace {

using Text = std::string_view;

constexpr size_t kTextBytesMax = 16 << 20;

bool RefuseLong(Row& row, size_t bytes) {
  if (bytes <= kTextBytesMax) return false;
  row.Raise(kInvalidArgument, "the text would have " + std::to_string(bytes) + " bytes; at most 16 MiB are made");
  return true;
}

// ---- Case

template <char kFrom, char kTo>
char Flip(char c) {
  return c >= kFrom && c <= kTo ? static_cast<char>(c ^ 0x20) : c;
}

// Texts of ASCII alone are mapped here; others by Arrow, which has the Unicode tables.
template <bool kUpper>
Result<arrow::Datum> CaseKernel(EvalContext& context, std::span<const arrow::Datum> args, const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  TM_ASSIGN_OR_RETURN(Validity validity, frame.StrictValidity());
  const Reader<Text> read(frame.column(0), frame.is_constant(0));
  bool ascii = true;
  for (int64_t i = 0; ascii && i < frame.rows(); ++i) ascii = IsAscii(read(i));
  if (!ascii) {
    arrow::Datum text = frame.column_ptr(0);
    if (kUpper) {  // the one common letter whose capital is two; Arrow maps letter by letter
      const arrow::compute::ReplaceSubstringOptions sharp_s("ß", "SS");
      TM_ARROW_ASSIGN_OR_RETURN(text, arrow::compute::CallFunction("replace_substring", {text}, &sharp_s), "UPPER");
    }
    auto mapped = arrow::compute::CallFunction(kUpper ? "utf8_upper" : "utf8_lower", {text});
    if (!mapped.ok()) return FromArrowStatus(mapped.status(), kUpper ? "UPPER" : "LOWER");
    return frame.Finish(mapped->make_array());
  }
  return RunRows<std::string>(frame, std::move(validity), result, [&](Row& row, std::string& out) {
    out = read(row.index);
    for (char& c : out) c = kUpper ? Flip<'a', 'z'>(c) : Flip<'A', 'Z'>(c);
    return true;
  });
}

void InitCap(Row&, Text text, std::string& out) {
  bool start = true;
  for (char c : text) {
    out += start ? Flip<'a', 'z'>(c) : Flip<'A', 'Z'>(c);
    start = !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              static_cast<unsigned char>(c) >= 0x80);
  }
}

// ---- Trimming: every character of `set` is taken off.

bool Holds(Text set, Text character) { return set.find(character) != Text::npos; }
Text TrimmedLeft(Text text, Text set) {
  while (!text.empty()) {
    const size_t bytes = CharBytes(text, 0);
    if (!Holds(set, text.substr(0, bytes))) break;
    text.remove_prefix(bytes);
  }
  return text;
}
Text TrimmedRight(Text text, Text set) {
  while (!text.empty()) {
    size_t at = text.size() - 1;
    while (at > 0 && IsContinuation(text[at])) --at;
    if (!Holds(set, text.substr(at))) break;
    text.remove_suffix(text.size() - at);
  }
  return text;
}
template <bool kLeft, bool kRight>
void Trim(Row&, Text text, Text set, std::string& out) {
  if (kLeft) text = TrimmedLeft(text, set);
  if (kRight) text = TrimmedRight(text, set);
  out = text;
}
template <bool kLeft, bool kRight>
void TrimSpaces(Row& row, Text text, std::string& out) {
  Trim<kLeft, kRight>(row, text, " ", out);
}

template <bool kLeft, bool kRight>
Result<ResolvedCall> BindTrim(Args args) {
  if (args.size() == 1)
    return Bind("TRIM", args, {StringType()}, StringType(), RowKernel<TrimSpaces<kLeft, kRight>, std::string, Text>);
  return Bind("TRIM", args, {StringType(), StringType()}, StringType(),
              RowKernel<Trim<kLeft, kRight>, std::string, Text, Text>);
}

// ---- Parts. A start of 0 is 1, a negative one counts from the end; a negative length gives NULL.

bool Part(Text text, int64_t start, int64_t length, std::string& out) {
  if (length < 0) return false;
  const bool ascii = IsAscii(text);
  const int64_t chars = ascii ? static_cast<int64_t>(text.size()) : CountChars(text);
  int64_t first = start > 0 ? start - 1 : start < 0 ? chars + start : 0;
  if (first < 0 || first >= chars) return true;
  const int64_t taken = std::min(length, chars - first);
  if (ascii) {
    out = text.substr(static_cast<size_t>(first), static_cast<size_t>(taken));
    return true;
  }
  const size_t from = ByteOfChar(text, first);
  out = text.substr(from, ByteOfChar(text.substr(from), taken));
  return true;
}
bool Substring(Row&, Text text, int32_t start, int32_t length, std::string& out) {
  return Part(text, start, length, out);
}
bool SubstringFrom(Row&, Text text, int32_t start, std::string& out) { return Part(text, start, INT32_MAX, out); }
void Left(Row&, Text text, int32_t length, std::string& out) { Part(text, 1, std::max(length, 0), out); }
void Right(Row&, Text text, int32_t length, std::string& out) {
  const int64_t chars = CountChars(text);
  const int64_t taken = std::clamp<int64_t>(length, 0, chars);
  out = text.substr(ByteOfChar(text, chars - taken));
}

Result<ResolvedCall> BindSubstring(Args args) {
  if (args.size() == 2) {
    return Bind("SUBSTRING", args, {StringType(), IntType()}, StringType(),
                RowKernel<SubstringFrom, std::string, Text, int32_t>);
  }
  return Bind("SUBSTRING", args, {StringType(), IntType(), IntType()}, StringType(),
              RowKernel<Substring, std::string, Text, int32_t, int32_t>, Nulls::kMaybe);
}

// OVERLAY(text PLACING piece FROM start [FOR length]).
void OverlayWith(Text text, Text piece, int64_t start, int64_t length, std::string& out) {
  const int64_t chars = CountChars(text);
  if (start <= 0 || start > chars) {
    out = text;
    return;
  }
  out = text.substr(0, ByteOfChar(text, start - 1));
  out += piece;
  const int64_t rest = length < 0 || start - 1 + length >= chars ? chars : start - 1 + length;
  out += text.substr(ByteOfChar(text, rest));
}
void Overlay(Row&, Text text, Text piece, int32_t start, int32_t length, std::string& out) {
  OverlayWith(text, piece, start, length, out);
}
void OverlayWhole(Row&, Text text, Text piece, int32_t start, std::string& out) {
  OverlayWith(text, piece, start, CountChars(piece), out);
}
Result<ResolvedCall> BindOverlay(Args args) {
  if (args.size() == 3) {
    return Bind("OVERLAY", args, {StringType(), StringType(), IntType()}, StringType(),
                RowKernel<OverlayWhole, std::string, Text, Text, int32_t>);
  }
  return Bind("OVERLAY", args, {StringType(), StringType(), IntType(), IntType()}, StringType(),
              RowKernel<Overlay, std::string, Text, Text, int32_t, int32_t>);
}

// ---- Making longer ones

template <bool kLeft>
bool Pad(Row& row, Text text, int32_t length, Text pad, std::string& out) {
  if (length < 0 || pad.empty()) return false;
  const int64_t chars = CountChars(text);
  if (length <= chars) {
    out = text.substr(0, ByteOfChar(text, length));
    return true;
  }
  const int64_t missing = length - chars, pad_chars = CountChars(pad);
  if (RefuseLong(row, text.size() + static_cast<size_t>(missing / pad_chars + 1) * pad.size())) return false;
  if (!kLeft) out = text;
  for (int64_t k = 0; k < missing / pad_chars; ++k) out += pad;
  out += pad.substr(0, ByteOfChar(pad, missing % pad_chars));
  if (kLeft) out += text;
  return true;
}
bool Repeat(Row& row, Text text, int32_t times, std::string& out) {
  if (times <= 0) return true;
  if (RefuseLong(row, text.size() * static_cast<size_t>(times))) return false;
  out.reserve(text.size() * static_cast<size_t>(times));
  for (int32_t k = 0; k < times; ++k) out += text;
  return true;
}
void Reverse(Row&, Text text, std::string& out) {
  out.resize(text.size());
  size_t to = text.size();
  for (size_t at = 0; at < text.size();) {
    const size_t bytes = CharBytes(text, at);
    to -= bytes;
    text.copy(out.data() + to, bytes, at);
    at += bytes;
  }
}
void ConcatTwo(Row&, Text a, Text b, std::string& out) {
  out = a;
  out += b;
}

// ---- CONCAT and CONCAT_WS take any number of values, each as its text.

Result<arrow::Datum> ConcatKernel(EvalContext& context, std::span<const arrow::Datum> args, const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  TM_ASSIGN_OR_RETURN(Validity validity, frame.StrictValidity());
  std::vector<Reader<Text>> columns;
  for (int i = 0; i < frame.num_columns(); ++i) columns.emplace_back(frame.column(i), frame.is_constant(i));
  return RunRows<std::string>(frame, std::move(validity), result, [&](Row& row, std::string& out) {
    for (const Reader<Text>& column : columns) out += column(row.index);
    return true;
  });
}

Result<arrow::Datum> ConcatWsKernel(EvalContext& context, std::span<const arrow::Datum> args, const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  const int separator_column = 0;
  TM_ASSIGN_OR_RETURN(Validity validity, frame.ValidityOf({&separator_column, 1}));
  std::vector<Reader<Text>> columns;
  for (int i = 0; i < frame.num_columns(); ++i) columns.emplace_back(frame.column(i), frame.is_constant(i));
  return RunRows<std::string>(frame, std::move(validity), result, [&](Row& row, std::string& out) {
    bool first = true;
    for (int i = 1; i < frame.num_columns(); ++i) {
      if (frame.column(i).IsNull(frame.index(i, row.index))) continue;
      if (!first) out += columns[0](row.index);
      out += columns[static_cast<size_t>(i)](row.index);
      first = false;
    }
    return true;
  });
}

Result<ResolvedCall> BindConcat(std::string_view name, Args args, size_t least, ScalarKernel kernel) {
  if (args.size() < least) return WrongArguments(name, args, "texts or values that have one");
  ResolvedCall call;
  for (const ArgumentInfo& arg : args) {
    if (!ExplicitlyCastable(arg.type, StringType())) return WrongArguments(name, args, "texts or values that have one");
    call.arguments.push_back(StringType().WithNullable(arg.type.nullable()));
  }
  call.result = StringType().WithNullable(name == "CONCAT_WS" ? args[0].type.nullable() : AnyNullable(args));
  call.kernel = kernel;
  return call;
}

// ---- Characters

void CharLength(Row&, Text text, int32_t& out) { out = static_cast<int32_t>(CountChars(text)); }
void OctetLength(Row&, Text text, int32_t& out) { out = static_cast<int32_t>(text.size()); }
void Ascii(Row&, Text text, int32_t& out) { out = text.empty() ? 0 : static_cast<int32_t>(TakeCodePoint(text)); }
void Chr(Row&, int64_t code, std::string& out) {
  if (code >= 0) AppendCodePoint(static_cast<uint32_t>(code & 0xff), out);
}

Result<ResolvedCall> BindText(std::string_view name, Args args, DataType result, ScalarKernel kernel) {
  return Bind(name, args, {StringType()}, std::move(result), kernel);
}
Result<ResolvedCall> BindTextInt(std::string_view name, Args args, ScalarKernel kernel) {
  return Bind(name, args, {StringType(), IntType()}, StringType(), kernel);
}
Result<ResolvedCall> BindLength(std::string_view name, Args args, ScalarKernel kernel) {
  if (args.size() == 1 && args[0].type.kind() == TypeKind::kBytes)
    return Bind(name, args, {BytesType()}, IntType(), RowKernel<OctetLength, int32_t, Text>);
  return Bind(name, args, {StringType()}, IntType(), kernel);
}

}  // namespace

std::vector<ScalarFunction> StringFunctions() {
  return {
      {"UPPER", "UPPER(text STRING) -> STRING", "The text in capitals.", "UPPER('tidemill é')", "TIDEMILL É",
       [](Args args) { return BindText("UPPER", args, StringType(), CaseKernel<true>); }},
      {"LOWER", "LOWER(text STRING) -> STRING", "The text in small letters.", "LOWER('TideMill')", "tidemill",
       [](Args args) { return BindText("LOWER", args, StringType(), CaseKernel<false>); }},
      {"INITCAP", "INITCAP(text STRING) -> STRING", "Each word with a capital first letter.",
       "INITCAP('high TIDE at noon')", "High Tide At Noon",
       [](Args args) { return BindText("INITCAP", args, StringType(), RowKernel<InitCap, std::string, Text>); }},
      {"TRIM", "TRIM([BOTH | LEADING | TRAILING] [characters] FROM text STRING) -> STRING",
       "The text without those characters (spaces if none are given) at its ends.", "TRIM(BOTH 'x' FROM 'xxtidexx')",
       "tide", BindTrim<true, true>},
      {"BTRIM", "BTRIM(text STRING [, characters STRING]) -> STRING", "The text without those characters at both ends.",
       "BTRIM('  tide ')", "tide", BindTrim<true, true>},
      {"LTRIM", "LTRIM(text STRING [, characters STRING]) -> STRING", "The text without those characters at its start.",
       "LTRIM('xytide', 'xy')", "tide", BindTrim<true, false>},
      {"RTRIM", "RTRIM(text STRING [, characters STRING]) -> STRING", "The text without those characters at its end.",
       "RTRIM('tide  ')", "tide", BindTrim<false, true>},
      {"SUBSTRING", "SUBSTRING(text STRING, start INT [, length INT]) -> STRING",
       "The part from character `start` (from 1; negative from the end), of that length or to the end.",
       "SUBSTRING('tidemill', 1, 4)", "tide", BindSubstring},
      {"SUBSTR", "SUBSTR(text STRING, start INT [, length INT]) -> STRING", "Another name of SUBSTRING.",
       "SUBSTR('tidemill', -4)", "mill", BindSubstring},
      {"LEFT", "LEFT(text STRING, length INT) -> STRING", "The first characters.", "LEFT('tidemill', 4)", "tide",
       [](Args args) { return BindTextInt("LEFT", args, RowKernel<Left, std::string, Text, int32_t>); }},
      {"RIGHT", "RIGHT(text STRING, length INT) -> STRING", "The last characters.", "RIGHT('tidemill', 4)", "mill",
       [](Args args) { return BindTextInt("RIGHT", args, RowKernel<Right, std::string, Text, int32_t>); }},
      {"OVERLAY", "OVERLAY(text STRING, piece STRING, start INT [, length INT]) -> STRING",
       "The text with `length` characters from `start` on (as many as the piece has if not given) replaced by the "
       "piece.",
       "OVERLAY('windmill', 'tide', 1, 4)", "tidemill", BindOverlay},
      {"LPAD", "LPAD(text STRING, length INT, pad STRING) -> STRING",
       "The text filled up to the length on its left, or cut to it.", "LPAD('7', 3, '0')", "007",
       [](Args args) {
         return Bind("LPAD", args, {StringType(), IntType(), StringType()}, StringType(),
                     RowKernel<Pad<true>, std::string, Text, int32_t, Text>, Nulls::kMaybe);
       }},
      {"RPAD", "RPAD(text STRING, length INT, pad STRING) -> STRING",
       "The text filled up to the length on its right, or cut to it.", "RPAD('ab', 5, 'xy')", "abxyx",
       [](Args args) {
         return Bind("RPAD", args, {StringType(), IntType(), StringType()}, StringType(),
                     RowKernel<Pad<false>, std::string, Text, int32_t, Text>, Nulls::kMaybe);
       }},
      {"REPEAT", "REPEAT(text STRING, times INT) -> STRING", "The text that many times.", "REPEAT('ab', 3)", "ababab",
       [](Args args) { return BindTextInt("REPEAT", args, RowKernel<Repeat, std::string, Text, int32_t>); }},
      {"REVERSE", "REVERSE(text STRING) -> STRING", "The characters in reverse order.", "REVERSE('edit')", "tide",
       [](Args args) { return BindText("REVERSE", args, StringType(), RowKernel<Reverse, std::string, Text>); }},
      {"||", "text || text", "Both texts, one after the other; NULL when one is NULL.", "'tide' || 'mill'", "tidemill",
       [](Args args) -> Result<ResolvedCall> {
         if (args.size() == 2 && args[0].type.kind() == TypeKind::kBytes && args[1].type.kind() == TypeKind::kBytes) {
           return Bind("||", args, {BytesType(), BytesType()}, BytesType(),
                       RowKernel<ConcatTwo, std::string, Text, Text>);
         }
         return BindConcat("||", args, 2, ConcatKernel);
       }},
      {"CONCAT", "CONCAT(value, ...) -> STRING", "The texts of all values, one after the other; NULL when one is NULL.",
       "CONCAT('tide', '-', 7)", "tide-7", [](Args args) { return BindConcat("CONCAT", args, 1, ConcatKernel); }},
      {"CONCAT_WS", "CONCAT_WS(separator STRING, value, ...) -> STRING",
       "The texts of all values that are not NULL, with the separator between them.", "CONCAT_WS('-', 'a', NULL, 'b')",
       "a-b", [](Args args) { return BindConcat("CONCAT_WS", args, 1, ConcatWsKernel); }},
      {"CHAR_LENGTH", "CHAR_LENGTH(text STRING) -> INT", "The number of characters.", "CHAR_LENGTH('Gezeitenmühle')",
       "13", [](Args args) { return BindLength("CHAR_LENGTH", args, RowKernel<CharLength, int32_t, Text>); }},
      {"CHARACTER_LENGTH", "CHARACTER_LENGTH(text STRING) -> INT", "Another name of CHAR_LENGTH.",
       "CHARACTER_LENGTH('tide')", "4",
       [](Args args) { return BindLength("CHARACTER_LENGTH", args, RowKernel<CharLength, int32_t, Text>); }},
      {"OCTET_LENGTH", "OCTET_LENGTH(text STRING or BYTES) -> INT", "The number of bytes, of a text in UTF-8.",
       "OCTET_LENGTH('mühle')", "6",
       [](Args args) { return BindLength("OCTET_LENGTH", args, RowKernel<OctetLength, int32_t, Text>); }},
      {"ASCII", "ASCII(text STRING) -> INT", "The code of the first character; 0 for an empty text.", "ASCII('tide')",
       "116", [](Args args) { return BindText("ASCII", args, IntType(), RowKernel<Ascii, int32_t, Text>); }},
      {"CHR", "CHR(code BIGINT) -> STRING", "The character with that code, of the lowest eight bits.", "CHR(97)", "a",
       [](Args args) { return Bind("CHR", args, {BigIntType()}, StringType(), RowKernel<Chr, std::string, int64_t>); }},
  };
}

}  // namespace tidemill
