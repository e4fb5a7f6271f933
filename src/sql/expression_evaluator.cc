#include <algorithm>
#include <unordered_map>

#include <arrow/api.h>
#include <arrow/compute/api.h>
#include <fmt/format.h>

#include "sql/errors.h"
#include "sql/expression.h"
#include "sql/structure.h"

namespace tidemill {
namespace {

using arrow::Datum;

// Rows for which a branch is evaluated. Masks form a tree: a child has only rows of its parent, so what was computed
// for an ancestor holds for it too.
struct Mask {
  int parent = -1;
  std::vector<uint8_t> rows;  // empty = all rows
};

Status ArrowStatus(const arrow::Status& status) { return Status(kArrowError, status.ToString()); }

Result<Datum> CallArrow(const char* name, const std::vector<Datum>& args) {
  arrow::Result<Datum> result = arrow::compute::CallFunction(name, args);
  if (!result.ok()) return ArrowStatus(result.status());
  return std::move(result).ValueUnsafe();
}

// 1 where the boolean is valid and equals `wanted`.
void FillTruth(const arrow::Array& array, bool wanted, std::vector<uint8_t>& out) {
  const auto& values = static_cast<const arrow::BooleanArray&>(array);
  const int64_t n = values.length();
  out.resize(static_cast<size_t>(n));
  const uint8_t* bits = values.values()->data();
  const int64_t offset = values.offset();
  const uint8_t flip = wanted ? 0 : 1;
  for (int64_t i = 0; i < n; ++i) out[i] = ((bits[(offset + i) >> 3] >> ((offset + i) & 7)) & 1) ^ flip;
  if (values.null_count() > 0) {
    const uint8_t* valid = values.null_bitmap_data();
    for (int64_t i = 0; i < n; ++i) out[i] &= (valid[(offset + i) >> 3] >> ((offset + i) & 7)) & 1;
  }
}

Result<Datum> ToBooleanArray(const std::vector<uint8_t>& bytes) {
  const int64_t n = static_cast<int64_t>(bytes.size());
  arrow::Result<std::unique_ptr<arrow::Buffer>> buffer = arrow::AllocateBuffer((n + 7) / 8);
  if (!buffer.ok()) return ArrowStatus(buffer.status());
  uint8_t* bits = (*buffer)->mutable_data();
  for (int64_t i = 0; i < n; i += 8) {
    uint8_t packed = 0;
    const int64_t count = std::min<int64_t>(8, n - i);
    for (int64_t j = 0; j < count; ++j) packed |= static_cast<uint8_t>((bytes[i + j] & 1) << j);
    bits[i / 8] = packed;
  }
  return Datum(std::make_shared<arrow::BooleanArray>(n, std::shared_ptr<arrow::Buffer>(std::move(*buffer))));
}

bool AllSet(const std::vector<uint8_t>& rows) {
  return std::all_of(rows.begin(), rows.end(), [](uint8_t r) { return r != 0; });
}
bool NoneSet(const std::vector<uint8_t>& rows) {
  return std::none_of(rows.begin(), rows.end(), [](uint8_t r) { return r != 0; });
}

}  // namespace

struct ExpressionEvaluator::Impl {
  // A distinct subexpression; equal ones are one step.
  struct Step {
    const Expression* expression;
    std::vector<int> args;
    std::shared_ptr<arrow::DataType> type;
    bool leaf;
  };
  struct Cached {
    int mask;
    Datum value;
  };

  std::vector<ExpressionPtr> expressions;
  const Clock& clock;
  std::string time_zone;
  std::vector<Step> steps;
  std::vector<int> roots;

  // Of the batch under evaluation.
  const Batch* batch = nullptr;
  EvalContext* context = nullptr;
  std::vector<Mask> masks;
  std::vector<std::vector<Cached>> cache;

  Impl(std::vector<ExpressionPtr> list, const Clock& clock_in, std::string zone)
      : expressions(std::move(list)), clock(clock_in), time_zone(std::move(zone)) {
    std::unordered_multimap<uint64_t, int> index;
    for (const ExpressionPtr& e : expressions) roots.push_back(AddStep(*e, index));
    cache.resize(steps.size());
  }

  int AddStep(const Expression& e, std::unordered_multimap<uint64_t, int>& index) {
    const uint64_t hash = HashExpression(e);
    const bool shareable = e.IsDeterministic();
    if (shareable) {
      auto [first, last] = index.equal_range(hash);
      for (auto it = first; it != last; ++it) {
        if (steps[it->second].expression->Equals(e)) return it->second;
      }
    }
    Step step{&e, {}, ToArrow(e.type), e.args.empty() && e.kind != Expression::Kind::kCall};
    for (const ExpressionPtr& arg : e.args) step.args.push_back(AddStep(*arg, index));
    steps.push_back(std::move(step));
    const int id = static_cast<int>(steps.size()) - 1;
    if (shareable) index.emplace(hash, id);
    return id;
  }

  const uint8_t* RowsOf(int mask) const { return masks[mask].rows.empty() ? nullptr : masks[mask].rows.data(); }

  // A mask of the rows of `parent` that `rows` has too; -1 when none is left, `parent` itself when all are.
  int AddMask(int parent, std::vector<uint8_t> rows) {
    if (const uint8_t* outer = RowsOf(parent)) {
      for (size_t i = 0; i < rows.size(); ++i) rows[i] &= outer[i];
      if (NoneSet(rows)) return -1;
      if (rows == masks[parent].rows) return parent;
    } else {
      if (AllSet(rows)) return parent;
      if (NoneSet(rows)) return -1;
    }
    masks.push_back({parent, std::move(rows)});
    return static_cast<int>(masks.size()) - 1;
  }

  const Datum* FindCached(int step, int mask) const {
    for (const Cached& entry : cache[step]) {
      for (int m = mask; m >= 0; m = masks[m].parent) {
        if (m == entry.mask) return &entry.value;
      }
    }
    return nullptr;
  }

  Result<Datum> Eval(int id, int mask) {
    const Step& step = steps[id];
    const Expression& e = *step.expression;
    if (e.kind == Expression::Kind::kColumn) return Datum(batch->rows->column(e.column));
    if (e.kind == Expression::Kind::kLiteral) return Datum(e.literal);
    if (const Datum* found = FindCached(id, mask)) return *found;
    TM_ASSIGN_OR_RETURN(Datum value, Compute(step, mask));
    cache[id].push_back({mask, value});
    return value;
  }

  Result<Datum> Compute(const Step& step, int mask) {
    const Expression& e = *step.expression;
    switch (e.kind) {
      case Expression::Kind::kAnd:
        return EvalLogical(step, mask, /*is_and=*/true);
      case Expression::Kind::kOr:
        return EvalLogical(step, mask, /*is_and=*/false);
      case Expression::Kind::kCase:
        return EvalCase(step, mask);
      case Expression::Kind::kCoalesce:
        return EvalCoalesce(step, mask);
      default:
        break;
    }
    std::vector<Datum> args(step.args.size());
    for (size_t i = 0; i < args.size(); ++i) {
      TM_ASSIGN_OR_RETURN(args[i], Eval(step.args[i], mask));
    }
    context->set_active(RowsOf(mask));
    if (e.kind == Expression::Kind::kCast) return CastDatum(*context, args[0], e.args[0]->type, e.type, e.try_cast);
    TM_ASSIGN_OR_RETURN(Datum value, e.resolved.kernel(*context, args, e.type));
    if (!value.type() || !value.type()->Equals(*step.type)) {
      return Status(kInternalError,
                    fmt::format("function {} gave {}, not {}", e.function->name,
                                value.type() ? value.type()->ToString() : "nothing", step.type->ToString()))
          .At(e.position);
    }
    return value;
  }

  // The right sides run only for rows that the left ones leave open.
  Result<Datum> EvalLogical(const Step& step, int mask, bool is_and) {
    TM_ASSIGN_OR_RETURN(Datum value, Eval(step.args[0], mask));
    for (size_t i = 1; i < step.args.size(); ++i) {
      int open = mask;
      if (value.is_scalar()) {
        const auto& scalar = static_cast<const arrow::BooleanScalar&>(*value.scalar());
        if (scalar.is_valid && scalar.value != is_and) return value;
      } else {
        std::vector<uint8_t> decided;
        FillTruth(*value.make_array(), !is_and, decided);
        for (uint8_t& row : decided) row ^= 1;
        open = AddMask(mask, std::move(decided));
        if (open < 0) return value;
      }
      TM_ASSIGN_OR_RETURN(Datum right, Eval(step.args[i], open));
      TM_ASSIGN_OR_RETURN(value, CallArrow(is_and ? "and_kleene" : "or_kleene", {value, right}));
    }
    return value;
  }

  Result<Datum> EvalCase(const Step& step, int mask) {
    struct Branch {
      std::vector<uint8_t> taken;
      Datum value;
    };
    std::vector<Branch> branches;
    std::optional<Datum> rest;
    int open = mask;
    for (size_t i = 0; i + 1 < step.args.size() && open >= 0; i += 2) {
      TM_ASSIGN_OR_RETURN(Datum condition, Eval(step.args[i], open));
      if (condition.is_scalar()) {
        const auto& scalar = static_cast<const arrow::BooleanScalar&>(*condition.scalar());
        if (!scalar.is_valid || !scalar.value) continue;
        TM_ASSIGN_OR_RETURN(rest, Eval(step.args[i + 1], open));
        break;
      }
      std::vector<uint8_t> taken;
      FillTruth(*condition.make_array(), true, taken);
      std::vector<uint8_t> others(taken.size());
      for (size_t row = 0; row < taken.size(); ++row) others[row] = taken[row] ^ 1;
      const int then_mask = AddMask(open, taken);
      if (then_mask < 0) continue;
      TM_ASSIGN_OR_RETURN(Datum value, Eval(step.args[i + 1], then_mask));
      branches.push_back({std::move(taken), std::move(value)});
      open = AddMask(open, std::move(others));
    }
    if (!rest && open >= 0) {
      TM_ASSIGN_OR_RETURN(rest, Eval(step.args.back(), open));
    }
    if (!rest) {
      rest = branches.back().value;
      branches.pop_back();
    }
    // Backwards, so that of overlapping conditions the first wins.
    Datum value = *rest;
    for (size_t i = branches.size(); i-- > 0;) {
      TM_ASSIGN_OR_RETURN(Datum condition, ToBooleanArray(branches[i].taken));
      TM_ASSIGN_OR_RETURN(value, CallArrow("if_else", {condition, branches[i].value, value}));
    }
    return value;
  }

  Result<Datum> EvalCoalesce(const Step& step, int mask) {
    TM_ASSIGN_OR_RETURN(Datum value, Eval(step.args[0], mask));
    for (size_t i = 1; i < step.args.size(); ++i) {
      int open = mask;
      if (value.is_scalar()) {
        if (value.scalar()->is_valid) return value;
        TM_ASSIGN_OR_RETURN(value, Eval(step.args[i], mask));
        continue;
      }
      const std::shared_ptr<arrow::Array> array = value.make_array();
      if (array->null_count() == 0) return value;
      std::vector<uint8_t> missing(static_cast<size_t>(array->length()));
      for (int64_t row = 0; row < array->length(); ++row) missing[row] = array->IsNull(row) ? 1 : 0;
      open = AddMask(mask, std::move(missing));
      if (open < 0) return value;
      TM_ASSIGN_OR_RETURN(Datum next, Eval(step.args[i], open));
      TM_ASSIGN_OR_RETURN(value, CallArrow("coalesce", {value, next}));
    }
    return value;
  }

  Result<std::vector<std::shared_ptr<arrow::Array>>> Run() {
    std::vector<std::shared_ptr<arrow::Array>> out;
    out.reserve(roots.size());
    for (int root : roots) {
      TM_ASSIGN_OR_RETURN(Datum value, Eval(root, 0));
      if (value.is_scalar()) {
        arrow::Result<std::shared_ptr<arrow::Array>> array =
            arrow::MakeArrayFromScalar(*value.scalar(), batch->num_rows());
        if (!array.ok()) return ArrowStatus(array.status());
        out.push_back(std::move(array).ValueUnsafe());
      } else {
        out.push_back(value.make_array());
      }
    }
    return out;
  }
};

ExpressionEvaluator::ExpressionEvaluator(std::vector<ExpressionPtr> expressions, const Clock& clock,
                                         std::string time_zone)
    : impl_(std::make_unique<Impl>(std::move(expressions), clock, std::move(time_zone))) {}

ExpressionEvaluator::~ExpressionEvaluator() = default;

Result<std::vector<std::shared_ptr<arrow::Array>>> ExpressionEvaluator::Evaluate(
    const Batch& batch, std::vector<EvalContext::RowError>& errors) {
  EvalContext context(batch.num_rows(), impl_->clock, impl_->time_zone);
  impl_->batch = &batch;
  impl_->context = &context;
  impl_->masks.assign(1, Mask{});
  Result<std::vector<std::shared_ptr<arrow::Array>>> result = impl_->Run();
  for (auto& values : impl_->cache) values.clear();
  impl_->batch = nullptr;
  impl_->context = nullptr;
  errors.insert(errors.end(), context.row_errors().begin(), context.row_errors().end());
  return result;
}

}  // namespace tidemill
