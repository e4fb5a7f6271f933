#include <optional>

#include <re2/re2.h>

#include "function/function_groups.h"
#include "function/internal/bind.h"
#include "function/internal/like.h"
#include "function/internal/row_kernel.h"
#include "function/internal/utf8.h"

namespace tidemill {
namespace {

using Text = std::string_view;

re2::StringPiece Piece(Text text) { return {text.data(), text.size()}; }

// ---- LIKE

// The compiled form of the row's pattern, made anew only where it differs from the row before.
template <typename Compiled>
class PatternOfRow {
 public:
  template <typename Make>
  const Compiled* At(Text pattern, Text escape, Make&& make) {
    if (!made_ || pattern != pattern_ || escape != escape_) {
      pattern_ = pattern;
      escape_ = escape;
      made_ = true;
      compiled_.reset();
      make(pattern_, escape_, compiled_);
    }
    return compiled_ ? &*compiled_ : nullptr;
  }

 private:
  bool made_ = false;
  std::string pattern_;
  std::string escape_;
  std::optional<Compiled> compiled_;
};

RE2::Options RegexOptions() {
  RE2::Options options(RE2::Quiet);
  options.set_max_mem(8 << 20);
  return options;
}

enum class Matching : uint8_t { kLike, kSimilar };
template <Matching kMatching>
Result<arrow::Datum> LikeKernel(EvalContext& context, std::span<const arrow::Datum> args, const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  TM_ASSIGN_OR_RETURN(Validity validity, frame.StrictValidity());
  const Reader<Text> text(frame.column(0), frame.is_constant(0)), pattern(frame.column(1), frame.is_constant(1));
  std::optional<Reader<Text>> escape;
  if (frame.num_columns() > 2) escape.emplace(frame.column(2), frame.is_constant(2));
  const auto refuse = [](Row& row, Text p) {
    row.Raise(kInvalidArgument, "malformed pattern '" + std::string(p.substr(0, 64)) + "'");
    return false;
  };
  const auto escape_of = [&](int64_t i) { return escape ? (*escape)(i) : Text(); };
  if constexpr (kMatching == Matching::kLike) {
    PatternOfRow<LikePattern> patterns;
    return RunRows<bool>(frame, std::move(validity), result, [&](Row& row, bool& out) {
      const LikePattern* like =
          patterns.At(pattern(row.index), escape_of(row.index), [](Text p, Text e, std::optional<LikePattern>& made) {
            if (CountChars(e) > 1 || !LikePattern::Make(p, e, made.emplace())) made.reset();
          });
      if (like == nullptr) return refuse(row, pattern(row.index));
      out = like->Matches(text(row.index));
      return true;
    });
  } else {
    PatternOfRow<RE2> patterns;
    return RunRows<bool>(frame, std::move(validity), result, [&](Row& row, bool& out) {
      const RE2* regex =
          patterns.At(pattern(row.index), escape_of(row.index), [](Text p, Text e, std::optional<RE2>& made) {
            std::string translated;
            if (CountChars(e) > 1 || !SimilarToRegex(p, e, translated)) return;
            made.emplace(translated, RegexOptions());
            if (!made->ok()) made.reset();
          });
      if (regex == nullptr) return refuse(row, pattern(row.index));
      out = RE2::PartialMatch(Piece(text(row.index)), *regex);
      return true;
    });
  }
}

template <Matching kMatching>
Result<ResolvedCall> BindLike(Args args) {
  const char* name = kMatching == Matching::kLike ? "LIKE" : "SIMILAR TO";
  if (args.size() == 3)
    return Bind(name, args, {StringType(), StringType(), StringType()}, BooleanType(), LikeKernel<kMatching>);
  return Bind(name, args, {StringType(), StringType()}, BooleanType(), LikeKernel<kMatching>);
}

// ---- Regular expressions: RE2's syntax, which is Java's without look-around and back-references.

// Runs `compute(row, regex, text, out)` with the regular expression in column 1.
template <typename Out, typename F>
Result<arrow::Datum> RegexRows(const Frame& frame, const DataType& result, F&& compute) {
  TM_ASSIGN_OR_RETURN(Validity validity, frame.StrictValidity());
  const Reader<Text> text(frame.column(0), frame.is_constant(0)), pattern(frame.column(1), frame.is_constant(1));
  PatternOfRow<RE2> patterns;
  std::string error;
  return RunRows<Out>(frame, std::move(validity), result, [&](Row& row, Out& out) {
    const RE2* regex = patterns.At(pattern(row.index), {}, [&error](Text p, Text, std::optional<RE2>& made) {
      made.emplace(Piece(p), RegexOptions());
      if (made->ok()) return;
      error = made->error();
      made.reset();
    });
    if (regex == nullptr) {
      row.Raise(kInvalidArgument,
                "regular expression '" + std::string(pattern(row.index).substr(0, 64)) + "': " + error);
      return false;
    }
    return compute(row, *regex, text(row.index), out);
  });
}

Result<arrow::Datum> RegexpKernel(EvalContext& context, std::span<const arrow::Datum> args, const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  return RegexRows<bool>(frame, result, [](Row&, const RE2& regex, Text text, bool& out) {
    out = RE2::PartialMatch(Piece(text), regex);
    return true;
  });
}

// (text, regex [, group]); no match is NULL.
Result<arrow::Datum> RegexpExtractKernel(EvalContext& context, std::span<const arrow::Datum> args,
                                         const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  std::optional<Reader<int32_t>> group;
  if (frame.num_columns() > 2) group.emplace(frame.column(2), frame.is_constant(2));
  return RegexRows<std::string>(frame, result, [&](Row& row, const RE2& regex, Text text, std::string& out) {
    const int32_t wanted = group ? (*group)(row.index) : 0;
    if (wanted < 0 || wanted > regex.NumberOfCapturingGroups()) return false;
    std::vector<re2::StringPiece> groups(static_cast<size_t>(wanted) + 1);
    if (!regex.Match(Piece(text), 0, text.size(), RE2::UNANCHORED, groups.data(), wanted + 1)) return false;
    const re2::StringPiece& found = groups.back();
    if (found.data() == nullptr) return false;
    out.assign(found.data(), found.size());
    return true;
  });
}

// Java writes groups as $1 and escapes with \; RE2 as \1.
std::string RewriteOfReplacement(Text replacement) {
  std::string out;
  for (size_t i = 0; i < replacement.size(); ++i) {
    const char c = replacement[i];
    if (c == '\\' && i + 1 < replacement.size()) {
      const char escaped = replacement[++i];
      if (escaped == '\\') out += '\\';
      out += escaped;
    } else if (c == '$' && i + 1 < replacement.size() && replacement[i + 1] >= '0' && replacement[i + 1] <= '9') {
      out += '\\';
      out += replacement[++i];
    } else {
      if (c == '\\') out += '\\';
      out += c;
    }
  }
  return out;
}

Result<arrow::Datum> RegexpReplaceKernel(EvalContext& context, std::span<const arrow::Datum> args,
                                         const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  const Reader<Text> replacement(frame.column(2), frame.is_constant(2));
  return RegexRows<std::string>(frame, result, [&](Row& row, const RE2& regex, Text text, std::string& out) {
    const std::string rewrite = RewriteOfReplacement(replacement(row.index));
    std::string problem;
    if (!regex.CheckRewriteString(rewrite, &problem)) {
      row.Raise(kInvalidArgument,
                "replacement '" + std::string(replacement(row.index).substr(0, 64)) + "': " + problem);
      return false;
    }
    out = text;
    RE2::GlobalReplace(&out, regex, rewrite);
    return true;
  });
}

// Calls `found(match)` for each match, until it returns false.
template <typename F>
void EachMatch(const RE2& regex, Text text, F&& found) {
  size_t at = 0;
  re2::StringPiece match;
  while (at <= text.size() && regex.Match(Piece(text), at, text.size(), RE2::UNANCHORED, &match, 1)) {
    if (!found(match)) return;
    const auto start = static_cast<size_t>(match.data() - text.data());
    at =
        match.empty() ? (start < text.size() ? start + CharBytes(text, start) : text.size() + 1) : start + match.size();
  }
}

Result<arrow::Datum> RegexpCountKernel(EvalContext& context, std::span<const arrow::Datum> args,
                                       const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  return RegexRows<int32_t>(frame, result, [](Row&, const RE2& regex, Text text, int32_t& out) {
    out = 0;
    EachMatch(regex, text, [&out](const re2::StringPiece&) {
      ++out;
      return true;
    });
    return true;
  });
}

Result<arrow::Datum> RegexpInstrKernel(EvalContext& context, std::span<const arrow::Datum> args,
                                       const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  return RegexRows<int32_t>(frame, result, [](Row&, const RE2& regex, Text text, int32_t& out) {
    out = 0;
    EachMatch(regex, text, [&](const re2::StringPiece& match) {
      out = static_cast<int32_t>(CountChars(text.substr(0, static_cast<size_t>(match.data() - text.data())))) + 1;
      return false;
    });
    return true;
  });
}

Result<ResolvedCall> BindRegex(std::string_view name, Args args, DataType result, ScalarKernel kernel,
                               Nulls nulls = Nulls::kWhereArguments) {
  return Bind(name, args, {StringType(), StringType()}, std::move(result), kernel, nulls);
}

Result<ResolvedCall> BindRegexpExtract(Args args) {
  if (args.size() == 2) return BindRegex("REGEXP_EXTRACT", args, StringType(), RegexpExtractKernel, Nulls::kMaybe);
  return Bind("REGEXP_EXTRACT", args, {StringType(), StringType(), IntType()}, StringType(), RegexpExtractKernel,
              Nulls::kMaybe);
}

}  // namespace

std::vector<ScalarFunction> PatternFunctions() {
  return {
      {"LIKE", "text LIKE pattern [ESCAPE character]",
       "Whether the text has the pattern's form: % is any text, _ one character.", "'tidemill' LIKE 't_de%'", "TRUE",
       BindLike<Matching::kLike>},
      {"SIMILAR TO", "text SIMILAR TO pattern [ESCAPE character]",
       "Whether the text as a whole has the form of an SQL regular expression.",
       "'tidemill' SIMILAR TO '(tide|wind)mill'", "TRUE", BindLike<Matching::kSimilar>},
      {"REGEXP", "REGEXP(text STRING, regex STRING) -> BOOLEAN",
       "Whether the regular expression (RE2) is found in the text.", "REGEXP('tidemill', '[d-e]{2}')", "TRUE",
       [](Args args) { return BindRegex("REGEXP", args, BooleanType(), RegexpKernel); }},
      {"REGEXP_EXTRACT", "REGEXP_EXTRACT(text STRING, regex STRING [, group INT]) -> STRING",
       "What the regular expression, or a group of it, matches first; NULL when nothing.",
       "REGEXP_EXTRACT('foothebar', 'foo(.*?)(bar)', 2)", "bar", BindRegexpExtract},
      {"REGEXP_REPLACE", "REGEXP_REPLACE(text STRING, regex STRING, replacement STRING) -> STRING",
       "The text with each match replaced; $1 is what the first group matched.",
       "REGEXP_REPLACE('foobar', 'oo|ar', '')", "fb",
       [](Args args) {
         return Bind("REGEXP_REPLACE", args, {StringType(), StringType(), StringType()}, StringType(),
                     RegexpReplaceKernel);
       }},
      {"REGEXP_COUNT", "REGEXP_COUNT(text STRING, regex STRING) -> INT", "How many matches there are.",
       "REGEXP_COUNT('tidemill', '[aeiou]')", "3",
       [](Args args) { return BindRegex("REGEXP_COUNT", args, IntType(), RegexpCountKernel); }},
      {"REGEXP_INSTR", "REGEXP_INSTR(text STRING, regex STRING) -> INT",
       "Where the first match is, in characters from 1; 0 when there is none.", "REGEXP_INSTR('tidemill', 'm.')", "5",
       [](Args args) { return BindRegex("REGEXP_INSTR", args, IntType(), RegexpInstrKernel); }},
      {"REGEXP_SUBSTR", "REGEXP_SUBSTR(text STRING, regex STRING) -> STRING",
       "The first match; NULL when there is none.", "REGEXP_SUBSTR('order 4711', '[0-9]+')", "4711",
       [](Args args) { return BindRegex("REGEXP_SUBSTR", args, StringType(), RegexpExtractKernel, Nulls::kMaybe); }},
  };
}

}  // namespace tidemill
