#include <arrow/array/array_nested.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/compute/api_vector.h>

#include "data/schema.h"
#include "function/function_groups.h"
#include "function/internal/bind.h"
#include "function/internal/row_kernel.h"
#include "function/internal/value_key.h"

namespace tidemill {
namespace {

bool IsMap(TypeKind kind) { return kind == TypeKind::kMap || kind == TypeKind::kMultiset; }

// Elements of an ARRAY, or entries of a MAP: MapArray is a ListArray of structs.
const arrow::ListArray& AsList(const arrow::Array& array) { return static_cast<const arrow::ListArray&>(array); }

Result<std::shared_ptr<arrow::Array>> TakeValues(const std::shared_ptr<arrow::Array>& values,
                                                 const std::shared_ptr<arrow::Array>& indices) {
  auto taken = arrow::compute::Take(arrow::Datum(values), arrow::Datum(indices));
  if (!taken.ok()) return FromArrowStatus(taken.status(), "take values");
  return taken->make_array();
}

// Columns `first`, `first + step`, ... of a call, value by value in the order of the rows.
Result<std::shared_ptr<arrow::Array>> Interleave(const Frame& frame, int first, int step) {
  std::vector<std::shared_ptr<arrow::Array>> columns;
  std::vector<int64_t> starts;
  int64_t start = 0;
  for (int i = first; i < frame.num_columns(); i += step) {
    columns.push_back(frame.column_ptr(i));
    starts.push_back(start);
    start += columns.back()->length();
  }
  TM_ARROW_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Array> all, arrow::Concatenate(columns), "collect values");
  arrow::Int64Builder indices;
  TM_ARROW_RETURN_IF_ERROR(indices.Reserve(frame.rows() * static_cast<int64_t>(columns.size())), "collect values");
  for (int64_t row = 0; row < frame.rows(); ++row) {
    for (size_t k = 0; k < columns.size(); ++k)
      indices.UnsafeAppend(starts[k] + frame.index(first + static_cast<int>(k) * step, row));
  }
  std::shared_ptr<arrow::Array> order;
  TM_ARROW_RETURN_IF_ERROR(indices.Finish(&order), "collect values");
  return TakeValues(all, order);
}

Result<std::shared_ptr<arrow::Buffer>> EvenOffsets(int64_t rows, int64_t each) {
  TM_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> offsets,
                      NewBuffer((rows + 1) * static_cast<int64_t>(sizeof(int32_t))));
  auto* raw = reinterpret_cast<int32_t*>(offsets->mutable_data());
  for (int64_t i = 0; i <= rows; ++i) raw[i] = static_cast<int32_t>(i * each);
  return offsets;
}

// ---- Constructors

Result<arrow::Datum> ArrayKernel(EvalContext& context, std::span<const arrow::Datum> args, const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  std::shared_ptr<arrow::Array> values;
  if (args.empty()) {
    TM_ASSIGN_OR_RETURN(values, MakeNullArray(result.children()[0].type, 0));
  } else {
    TM_ASSIGN_OR_RETURN(values, Interleave(frame, 0, 1));
  }
  TM_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> offsets, EvenOffsets(frame.rows(), frame.num_columns()));
  return frame.Finish(
      arrow::MakeArray(arrow::ArrayData::Make(ToArrow(result), frame.rows(), {nullptr, offsets}, {values->data()}, 0)));
}

Result<arrow::Datum> MapKernel(EvalContext& context, std::span<const arrow::Datum> args, const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  for (int i = 0; i < frame.num_columns(); i += 2) {
    for (int64_t row = 0; row < frame.rows() && frame.column(i).null_count() > 0; ++row) {
      if (frame.column(i).IsNull(frame.index(i, row))) frame.Raise(row, kInvalidArgument, "a key of a MAP is NULL");
    }
  }
  TM_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Array> keys, Interleave(frame, 0, 2));
  TM_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Array> values, Interleave(frame, 1, 2));
  TM_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> offsets, EvenOffsets(frame.rows(), frame.num_columns() / 2));
  const std::shared_ptr<arrow::DataType> type = ToArrow(result);
  auto entries = arrow::ArrayData::Make(static_cast<const arrow::MapType&>(*type).value_type(), keys->length(),
                                        {nullptr}, {WithoutNulls(keys->data()), values->data()}, 0);
  return frame.Finish(arrow::MakeArray(arrow::ArrayData::Make(type, frame.rows(), {nullptr, offsets}, {entries}, 0)));
}

Result<arrow::Datum> RowKernelOf(EvalContext& context, std::span<const arrow::Datum> args, const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  std::vector<std::shared_ptr<arrow::ArrayData>> fields;
  for (int i = 0; i < frame.num_columns(); ++i) {
    std::shared_ptr<arrow::Array> column = frame.column_ptr(i);
    if (frame.is_constant(i) && frame.rows() != 1) {
      TM_ARROW_ASSIGN_OR_RETURN(
          column, arrow::MakeArrayFromScalar(*args[static_cast<size_t>(i)].scalar(), frame.rows()), "ROW");
    }
    fields.push_back(column->data());
  }
  return frame.Finish(
      arrow::MakeArray(arrow::ArrayData::Make(ToArrow(result), frame.rows(), {nullptr}, std::move(fields), 0)));
}

Result<ResolvedCall> BindArray(Args args) {
  DataType element(TypeKind::kNull);
  if (!args.empty()) {
    TM_ASSIGN_OR_RETURN(element, CommonTypeOf("ARRAY", args, "values of one type"));
  }
  ResolvedCall call;
  call.result = DataType::Array(element.WithNullable(args.empty() || AnyNullable(args)), false);
  call.arguments.assign(args.size(), element);
  call.kernel = ArrayKernel;
  return call;
}

Result<ResolvedCall> BindMap(Args args) {
  if (args.empty() || args.size() % 2 != 0) return WrongArguments("MAP", args, "keys and values in turn");
  std::vector<ArgumentInfo> keys, values;
  for (size_t i = 0; i < args.size(); ++i) (i % 2 == 0 ? keys : values).push_back(args[i]);
  TM_ASSIGN_OR_RETURN(const DataType key, CommonTypeOf("MAP", keys, "keys of one type"));
  if (key.kind() == TypeKind::kNull) return WrongArguments("MAP", args, "keys that are not NULL");
  TM_ASSIGN_OR_RETURN(const DataType value, CommonTypeOf("MAP", values, "values of one type"));
  ResolvedCall call;
  call.result = DataType::Map(key.WithNullable(false), value.WithNullable(AnyNullable(values)), false);
  for (size_t i = 0; i < args.size(); ++i) call.arguments.push_back(i % 2 == 0 ? key : value);
  call.kernel = MapKernel;
  return call;
}

Result<ResolvedCall> BindRow(Args args) {
  if (args.empty()) return WrongArguments("ROW", args, "one or more values");
  std::vector<Field> fields;
  ResolvedCall call;
  for (const ArgumentInfo& arg : args) {
    fields.push_back(Field{"EXPR$" + std::to_string(fields.size()), arg.type});
    call.arguments.push_back(arg.type);
  }
  call.result = DataType::Row(std::move(fields), false);
  call.kernel = RowKernelOf;
  return call;
}

// ---- Access

Result<arrow::Datum> FieldKernel(EvalContext& context, std::span<const arrow::Datum> args, const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  if (frame.rows() == 0) {
    TM_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Array> none, MakeNullArray(result, 0));
    return frame.Finish(std::move(none));
  }
  const auto& row = static_cast<const arrow::StructArray&>(frame.column(0));
  const int field = static_cast<const arrow::StructType&>(*row.type())
                        .GetFieldIndex(std::string(Reader<std::string_view>(frame.column(1), true)(0)));
  TM_CHECK(field >= 0);
  TM_ARROW_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Array> column, row.GetFlattenedField(field), "field of a ROW");
  if (frame.is_constant(0) && !frame.all_constant()) {
    TM_ARROW_ASSIGN_OR_RETURN(auto scalar, column->GetScalar(0), "field of a ROW");
    return arrow::Datum(std::move(scalar));
  }
  return frame.Finish(std::move(column));
}

Result<ResolvedCall> BindField(Args args) {
  if (args.size() != 2 || args[0].type.kind() != TypeKind::kRow)
    return WrongArguments("field access", args, "a ROW and the name of its field");
  TM_ASSIGN_OR_RETURN(const std::string name, LiteralString("field access", args, 1, "the name"));
  std::string names;
  for (const Field& field : args[0].type.children()) {
    if (field.name == name) {
      ResolvedCall call;
      call.result = field.type.WithNullable(field.type.nullable() || args[0].type.nullable());
      call.arguments = {args[0].type, args[1].type};
      call.kernel = FieldKernel;
      return call;
    }
    names += (names.empty() ? "" : ", ") + field.name;
  }
  return Status(kWrongArguments, "the ROW has no field '" + name + "'").WithNote("fields: " + names);
}

// array[i], from 1; beyond the end is NULL.
Result<arrow::Datum> ElementAtKernel(EvalContext& context, std::span<const arrow::Datum> args, const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  TM_ASSIGN_OR_RETURN(Validity validity, frame.StrictValidity());
  const arrow::ListArray& list = AsList(frame.column(0));
  const Reader<int32_t> index(frame.column(1), frame.is_constant(1));
  arrow::Int64Builder indices;
  TM_ARROW_RETURN_IF_ERROR(indices.Reserve(frame.rows()), "element of an array");
  for (int64_t row = 0; row < frame.rows(); ++row) {
    const int64_t at = frame.index(0, row);
    if (!validity.IsValid(row)) {
      indices.UnsafeAppendNull();
    } else if (index(row) < 1) {
      frame.Raise(row, kInvalidArgument, "the elements of an array count from 1, not " + std::to_string(index(row)));
      indices.UnsafeAppendNull();
    } else if (index(row) > list.value_length(at)) {
      indices.UnsafeAppendNull();
    } else {
      indices.UnsafeAppend(list.value_offset(at) + index(row) - 1);
    }
  }
  std::shared_ptr<arrow::Array> order;
  TM_ARROW_RETURN_IF_ERROR(indices.Finish(&order), "element of an array");
  TM_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Array> out, TakeValues(list.values(), order));
  TM_CHECK(out->type()->Equals(ToArrow(result)));
  return frame.Finish(std::move(out));
}

// map[key]; the last of equal keys, NULL when there is none.
template <typename T>
Result<arrow::Datum> ValueOfKeyKernel(EvalContext& context, std::span<const arrow::Datum> args, const DataType&) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  TM_ASSIGN_OR_RETURN(Validity validity, frame.StrictValidity());
  const auto& map = static_cast<const arrow::MapArray&>(frame.column(0));
  const std::shared_ptr<arrow::Array> keys = map.keys();
  const Reader<T> key(*keys, false), wanted(frame.column(1), frame.is_constant(1));
  arrow::Int64Builder indices;
  TM_ARROW_RETURN_IF_ERROR(indices.Reserve(frame.rows()), "value of a map");
  for (int64_t row = 0; row < frame.rows(); ++row) {
    const int64_t at = frame.index(0, row);
    int64_t found = -1;
    if (validity.IsValid(row)) {
      const auto needle = KeyOf(wanted(row));
      for (int64_t k = map.value_offset(at + 1) - 1; found < 0 && k >= map.value_offset(at); --k) {
        if (KeyOf(key(k)) == needle) found = k;
      }
    }
    if (found < 0)
      indices.UnsafeAppendNull();
    else
      indices.UnsafeAppend(found);
  }
  std::shared_ptr<arrow::Array> order;
  TM_ARROW_RETURN_IF_ERROR(indices.Finish(&order), "value of a map");
  TM_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Array> out, TakeValues(map.items(), order));
  return frame.Finish(std::move(out));
}

Result<ResolvedCall> BindItem(Args args) {
  if (args.size() == 2 && args[0].type.kind() == TypeKind::kArray) {
    if (!ImplicitlyCastable(args[1].type, IntType())) return WrongArguments("[]", args, "an ARRAY and an INT");
    ResolvedCall call;
    call.result = args[0].type.children()[0].type.WithNullable(true);
    call.arguments = {args[0].type, IntType().WithNullable(args[1].type.nullable())};
    call.kernel = ElementAtKernel;
    return call;
  }
  if (args.size() != 2 || args[0].type.kind() != TypeKind::kMap)
    return WrongArguments("[]", args, "an ARRAY and an INT, or a MAP and a key");
  const DataType& key = args[0].type.children()[0].type;
  if (!ImplicitlyCastable(args[1].type, key)) return WrongArguments("[]", args, "a MAP and a key of its type");
  ResolvedCall call;
  DispatchPhysical(key.kind(), [&](auto tag) { call.kernel = ValueOfKeyKernel<typename decltype(tag)::Type>; });
  if (call.kernel == nullptr)
    return WrongArguments("[]", args, "a MAP whose keys are numbers, texts, BOOLEAN or times");
  call.result = args[0].type.children()[1].type.WithNullable(true);
  call.arguments = {args[0].type, key.WithNullable(args[1].type.nullable())};
  return call;
}

// ---- Others

Result<arrow::Datum> CardinalityKernel(EvalContext& context, std::span<const arrow::Datum> args,
                                       const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  TM_ASSIGN_OR_RETURN(Validity validity, frame.StrictValidity());
  const arrow::ListArray& list = AsList(frame.column(0));
  return RunRows<int32_t>(frame, std::move(validity), result, [&](Row& row, int32_t& out) {
    out = list.value_length(row.index);
    return true;
  });
}

Result<arrow::Datum> OnlyElementKernel(EvalContext& context, std::span<const arrow::Datum> args, const DataType&) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  const arrow::ListArray& list = AsList(frame.column(0));
  arrow::Int64Builder indices;
  TM_ARROW_RETURN_IF_ERROR(indices.Reserve(frame.rows()), "ELEMENT");
  for (int64_t row = 0; row < frame.rows(); ++row) {
    const int64_t length = list.IsNull(row) ? 0 : list.value_length(row);
    if (length > 1)
      frame.Raise(row, kInvalidArgument, "ELEMENT: the array has " + std::to_string(length) + " elements, not one");
    if (length == 1)
      indices.UnsafeAppend(list.value_offset(row));
    else
      indices.UnsafeAppendNull();
  }
  std::shared_ptr<arrow::Array> order;
  TM_ARROW_RETURN_IF_ERROR(indices.Finish(&order), "ELEMENT");
  TM_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Array> out, TakeValues(list.values(), order));
  return frame.Finish(std::move(out));
}

// A NULL needle is sought among the NULL elements.
template <typename T>
Result<arrow::Datum> ContainsKernel(EvalContext& context, std::span<const arrow::Datum> args, const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  const int array_column = 0;
  TM_ASSIGN_OR_RETURN(Validity validity, frame.ValidityOf({&array_column, 1}));
  const arrow::ListArray& list = AsList(frame.column(0));
  const arrow::Array& values = *list.values();
  const Reader<T> value(values, false), needle(frame.column(1), frame.is_constant(1));
  return RunRows<bool>(frame, std::move(validity), result, [&](Row& row, bool& out) {
    const int64_t at = frame.index(0, row.index);
    const bool null = frame.column(1).IsNull(frame.index(1, row.index));
    out = false;
    for (int64_t k = list.value_offset(at); !out && k < list.value_offset(at + 1); ++k) {
      out = values.IsNull(k) ? null : !null && KeyOf(value(k)) == KeyOf(needle(row.index));
    }
    return true;
  });
}

Result<ResolvedCall> BindContains(Args args) {
  if (args.size() != 2 || args[0].type.kind() != TypeKind::kArray)
    return WrongArguments("ARRAY_CONTAINS", args, "an ARRAY and a value");
  const DataType& element = args[0].type.children()[0].type;
  Result<DataType> common = CommonType(element, args[1].type);
  ResolvedCall call;
  if (common.ok()) {
    DispatchPhysical(common->kind(), [&](auto tag) { call.kernel = ContainsKernel<typename decltype(tag)::Type>; });
  }
  if (call.kernel == nullptr)
    return WrongArguments("ARRAY_CONTAINS", args, "an ARRAY and a value of its elements' type");
  call.result = BooleanType().WithNullable(args[0].type.nullable());
  call.arguments = {DataType::Array(common->WithNullable(element.nullable()), args[0].type.nullable()),
                    common->WithNullable(args[1].type.nullable())};
  return call;
}

template <bool kKeys>
Result<arrow::Datum> MapPartKernel(EvalContext& context, std::span<const arrow::Datum> args, const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  TM_ASSIGN_OR_RETURN(Validity validity, frame.StrictValidity());
  const auto& map = static_cast<const arrow::MapArray&>(frame.column(0));
  TM_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> offsets,
                      NewBuffer((frame.rows() + 1) * static_cast<int64_t>(sizeof(int32_t))));
  auto* raw = reinterpret_cast<int32_t*>(offsets->mutable_data());
  for (int64_t i = 0; i <= frame.rows(); ++i) raw[i] = map.value_offset(i);
  const std::shared_ptr<arrow::Array> part = kKeys ? map.keys() : map.items();
  return frame.Finish(
      arrow::MakeArray(arrow::ArrayData::Make(ToArrow(result), frame.rows(), {validity.bits, offsets}, {part->data()},
                                              validity.all() ? 0 : arrow::kUnknownNullCount)));
}

template <bool kKeys>
Result<ResolvedCall> BindMapPart(Args args) {
  if (args.size() != 1 || args[0].type.kind() != TypeKind::kMap)
    return WrongArguments(kKeys ? "MAP_KEYS" : "MAP_VALUES", args, "a MAP");
  const DataType& part = args[0].type.children()[kKeys ? 0 : 1].type;
  return ResolvedCall{DataType::Array(part, args[0].type.nullable()), {args[0].type}, MapPartKernel<kKeys>};
}

Result<ResolvedCall> BindCardinality(Args args) {
  if (args.size() != 1 || !(args[0].type.kind() == TypeKind::kArray || IsMap(args[0].type.kind())))
    return WrongArguments("CARDINALITY", args, "an ARRAY, MAP or MULTISET");
  return ResolvedCall{IntType().WithNullable(args[0].type.nullable()), {args[0].type}, CardinalityKernel};
}

Result<ResolvedCall> BindElement(Args args) {
  if (args.size() != 1 || args[0].type.kind() != TypeKind::kArray) return WrongArguments("ELEMENT", args, "an ARRAY");
  return ResolvedCall{args[0].type.children()[0].type.WithNullable(true), {args[0].type}, OnlyElementKernel};
}

}  // namespace

std::vector<ScalarFunction> CollectionFunctions() {
  return {
      {"ARRAY", "ARRAY[value, ...]", "An array of the values.", "ARRAY[1, NULL, 3]", "[1, NULL, 3]", BindArray},
      {"MAP", "MAP[key, value, ...]", "A map of the keys to their values.", "MAP['a', 1, 'b', 2]", "{a=1, b=2}",
       BindMap},
      {"ROW", "ROW(value, ...)", "A row of the values.", "ROW(1, 'a')", "(1, a)", BindRow},
      {"ITEM", "array[index INT], map[key]",
       "The element with that number, from 1, or the value of the key; NULL when there is none.",
       "MAP['a', 1, 'b', 2]['b']", "2", BindItem},
      {"FIELD", "row.name", "The field of a row.", "ROW(1, 'a').EXPR$1", "a", BindField},
      {"CARDINALITY", "CARDINALITY(array or map) -> INT", "The number of elements or entries.",
       "CARDINALITY(ARRAY[1, 2, 3])", "3", BindCardinality},
      {"ELEMENT", "ELEMENT(array) -> its element",
       "The only element; NULL of an empty array, and an error of the row when there are more.", "ELEMENT(ARRAY[7])",
       "7", BindElement},
      {"ARRAY_CONTAINS", "ARRAY_CONTAINS(array, value) -> BOOLEAN", "Whether the value is among the elements.",
       "ARRAY_CONTAINS(ARRAY['a', 'b'], 'b')", "TRUE", BindContains},
      {"MAP_KEYS", "MAP_KEYS(map) -> ARRAY", "The keys.", "MAP_KEYS(MAP['a', 1, 'b', 2])", "[a, b]", BindMapPart<true>},
      {"MAP_VALUES", "MAP_VALUES(map) -> ARRAY", "The values.", "MAP_VALUES(MAP['a', 1, 'b', 2])", "[1, 2]",
       BindMapPart<false>},
  };
}

}  // namespace tidemill
