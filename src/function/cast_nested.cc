#include <arrow/array/array_nested.h>

#include "data/schema.h"
#include "function/internal/caster.h"

namespace tidemill {
namespace {

// The children of an array as (array, types from, to), with offsets of `array` itself applied.
struct Child {
  std::shared_ptr<arrow::Array> array;
  DataType type;
};

std::vector<Child> ChildrenOf(const arrow::Array& array, const DataType& type) {
  std::vector<Child> children;
  switch (type.kind()) {
    case TypeKind::kArray:
      children.push_back({static_cast<const arrow::ListArray&>(array).values(), type.children()[0].type});
      break;
    case TypeKind::kMap:
    case TypeKind::kMultiset: {
      const auto& map = static_cast<const arrow::MapArray&>(array);
      children.push_back({map.keys(), type.children()[0].type});
      children.push_back(
          {map.items(), type.kind() == TypeKind::kMap ? type.children()[1].type : DataType(TypeKind::kInt, false)});
      break;
    }
    default: {
      const auto& row = static_cast<const arrow::StructArray&>(array);
      for (int i = 0; i < row.num_fields(); ++i)
        children.push_back({row.field(i), type.children()[static_cast<size_t>(i)].type});
    }
  }
  return children;
}

// [first, last) of the children that belong to row i.
std::pair<int64_t, int64_t> RangeOf(const arrow::Array& array, const DataType& type, int64_t i) {
  if (type.kind() == TypeKind::kRow) return {i, i + 1};
  const auto& list = static_cast<const arrow::ListArray&>(array);  // MapArray is one
  return {list.value_offset(i), list.value_offset(i + 1)};
}

std::vector<DataType> ChildTypes(const DataType& type) {
  std::vector<DataType> types;
  for (const Field& field : type.children()) types.push_back(field.type);
  if (type.kind() == TypeKind::kMultiset) types.push_back(DataType(TypeKind::kInt, false));
  return types;
}

}  // namespace

Result<std::shared_ptr<arrow::Array>> CastNested(Caster& caster, const arrow::Array& array, const DataType& from,
                                                 const DataType& to) {
  std::vector<Child> children = ChildrenOf(array, from);
  const std::vector<DataType> types = ChildTypes(to);
  std::vector<Caster::Failure> failures;
  for (size_t c = 0; c < children.size(); ++c) {
    Caster inner(caster.time_zone());
    TM_ASSIGN_OR_RETURN(children[c].array, inner.Cast(children[c].array, children[c].type, types[c]));
    for (Caster::Failure& failure : inner.TakeFailures()) failures.push_back(std::move(failure));
  }
  TM_ASSIGN_OR_RETURN(Validity validity, ValidityOfArray(array));
  bool owned = false;
  if (!failures.empty()) {  // a value fails as a whole
    for (int64_t i = 0; i < array.length(); ++i) {
      const auto [first, last] = RangeOf(array, from, i);
      for (const Caster::Failure& failure : failures) {
        if (!validity.IsValid(i) || failure.index < first || failure.index >= last) continue;
        caster.Fail(i, failure.detail);
        TM_RETURN_IF_ERROR(AddNull(validity, owned, i, array.length()));
      }
    }
  }
  const int64_t nulls = validity.all() ? 0 : arrow::kUnknownNullCount;
  std::vector<std::shared_ptr<arrow::ArrayData>> child_data;
  for (const Child& child : children) child_data.push_back(child.array->data());
  if (to.kind() == TypeKind::kRow) {
    return arrow::MakeArray(
        arrow::ArrayData::Make(ToArrow(to), array.length(), {validity.bits}, std::move(child_data), nulls));
  }
  const std::shared_ptr<arrow::DataType> type = ToArrow(to);
  if (to.kind() != TypeKind::kArray) {  // a map's child is one struct of keys and values
    const int64_t entries = child_data[0]->length;
    child_data[0] = WithoutNulls(child_data[0]);
    auto entry_type = static_cast<const arrow::MapType&>(*type).value_type();
    child_data = {arrow::ArrayData::Make(entry_type, entries, {nullptr}, std::move(child_data), 0)};
  }
  TM_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> offsets,
                      NewBuffer((array.length() + 1) * static_cast<int64_t>(sizeof(int32_t))));
  auto* raw = reinterpret_cast<int32_t*>(offsets->mutable_data());
  const auto& list = static_cast<const arrow::ListArray&>(array);
  for (int64_t i = 0; i <= array.length(); ++i) raw[i] = list.value_offset(i);
  return arrow::MakeArray(
      arrow::ArrayData::Make(type, array.length(), {validity.bits, offsets}, std::move(child_data), nulls));
}

// "[1, 2]", "{a=1}", "(1, b)"; NULL inside is the word NULL.
Result<std::shared_ptr<arrow::Array>> NestedToText(Caster& caster, const arrow::Array& array, const DataType& from) {
  std::vector<Child> children = ChildrenOf(array, from);
  for (Child& child : children) {
    TM_ASSIGN_OR_RETURN(child.array, caster.Cast(child.array, child.type, DataType(TypeKind::kString)));
  }
  const auto append = [&children](size_t c, int64_t i, std::string& out) {
    const auto& text = static_cast<const arrow::StringArray&>(*children[c].array);
    if (text.IsNull(i))
      out += "NULL";
    else
      out += text.GetView(i);
  };
  const bool is_map = from.kind() == TypeKind::kMap || from.kind() == TypeKind::kMultiset;
  arrow::StringBuilder builder;
  std::string text;
  for (int64_t i = 0; i < array.length(); ++i) {
    if (array.IsNull(i)) {
      TM_ARROW_RETURN_IF_ERROR(builder.AppendNull(), "text");
      continue;
    }
    text = from.kind() == TypeKind::kRow ? "(" : is_map ? "{" : "[";
    if (from.kind() == TypeKind::kRow) {
      for (size_t c = 0; c < children.size(); ++c) {
        if (c > 0) text += ", ";
        append(c, i, text);
      }
    } else {
      const auto [first, last] = RangeOf(array, from, i);
      for (int64_t k = first; k < last; ++k) {
        if (k > first) text += ", ";
        append(0, k, text);
        if (is_map) {
          text += '=';
          append(1, k, text);
        }
      }
    }
    text += from.kind() == TypeKind::kRow ? ")" : is_map ? "}" : "]";
    TM_ARROW_RETURN_IF_ERROR(builder.Append(text), "text");
  }
  std::shared_ptr<arrow::Array> out;
  TM_ARROW_RETURN_IF_ERROR(builder.Finish(&out), "text");
  return out;
}

}  // namespace tidemill
