#include "model/tensor_columns.h"

#include <arrow/api.h>
#include <arrow/util/bit_util.h>

#include "data/arrow_status.h"
#include "model/errors.h"

namespace tidemill {
namespace {

// Writes `rows` values of one column at out[0], out[stride], ...
template <typename To, typename From>
void Spread(const From* values, int64_t rows, int64_t stride, To* out) {
  for (int64_t i = 0; i < rows; ++i) out[i * stride] = static_cast<To>(values[i]);
}

template <typename To>
void OverwriteNulls(const arrow::Array& column, int64_t first, int64_t rows, int64_t stride,
                    const std::optional<double>& value, To* out, std::vector<uint8_t>* unscored) {
  if (column.null_count() == 0) return;
  const To filler = value ? static_cast<To>(*value) : To{};
  for (int64_t i = 0; i < rows; ++i) {
    if (column.IsValid(first + i)) continue;
    out[i * stride] = filler;
    if (!value) (*unscored)[i] = 1;
  }
}

template <typename To>
Status FillColumn(const arrow::Array& column, int64_t first, int64_t rows, int64_t stride,
                  const std::optional<double>& null_value, To* out, std::vector<uint8_t>* unscored) {
  switch (column.type_id()) {
#define TM_SPREAD(ID, ArrayType)                                                                  \
  case arrow::Type::ID:                                                                           \
    Spread(static_cast<const arrow::ArrayType&>(column).raw_values() + first, rows, stride, out); \
    break;
    TM_SPREAD(INT8, Int8Array)
    TM_SPREAD(INT16, Int16Array)
    TM_SPREAD(INT32, Int32Array)
    TM_SPREAD(INT64, Int64Array)
    TM_SPREAD(FLOAT, FloatArray)
    TM_SPREAD(DOUBLE, DoubleArray)
#undef TM_SPREAD
    case arrow::Type::BOOL: {
      const auto& booleans = static_cast<const arrow::BooleanArray&>(column);
      for (int64_t i = 0; i < rows; ++i) out[i * stride] = static_cast<To>(booleans.Value(first + i));
      break;
    }
    case arrow::Type::DECIMAL128: {
      const auto& decimals = static_cast<const arrow::Decimal128Array&>(column);
      const int scale = static_cast<const arrow::Decimal128Type&>(*column.type()).scale();
      for (int64_t i = 0; i < rows; ++i) {
        out[i * stride] = static_cast<To>(arrow::Decimal128(decimals.Value(first + i)).ToDouble(scale));
      }
      break;
    }
    default:
      return Status(kInternalError, "a model's input column has type " + column.type()->ToString());
  }
  OverwriteNulls(column, first, rows, stride, null_value, out, unscored);
  return Status::OK();
}

Status FillStrings(const arrow::Array& column, int64_t first, int64_t rows, int64_t stride, std::string* out,
                   std::vector<uint8_t>* unscored) {
  if (column.type_id() != arrow::Type::STRING) {
    return Status(kInternalError, "a model's input column has type " + column.type()->ToString());
  }
  const auto& strings = static_cast<const arrow::StringArray&>(column);
  for (int64_t i = 0; i < rows; ++i) {
    if (strings.IsNull(first + i)) {
      out[i * stride].clear();
      (*unscored)[i] = 1;
    } else {
      out[i * stride] = strings.GetView(first + i);
    }
  }
  return Status::OK();
}

// Reads value `element` of each row of `width` values.
template <typename From, typename To>
void Gather(const void* data, int64_t width, int64_t element, int64_t rows, To* out) {
  const From* from = static_cast<const From*>(data) + element;
  for (int64_t i = 0; i < rows; ++i) out[i] = static_cast<To>(from[i * width]);
}

template <typename To>
bool GatherAs(TensorElement element_type, const void* data, int64_t width, int64_t element, int64_t rows, To* out) {
  switch (element_type) {
    case TensorElement::kFloat:
      Gather<float>(data, width, element, rows, out);
      return true;
    case TensorElement::kDouble:
      Gather<double>(data, width, element, rows, out);
      return true;
    case TensorElement::kInt32:
      Gather<int32_t>(data, width, element, rows, out);
      return true;
    case TensorElement::kInt64:
      Gather<int64_t>(data, width, element, rows, out);
      return true;
    case TensorElement::kBool:
      Gather<bool>(data, width, element, rows, out);
      return true;
    default:
      return false;
  }
}

std::shared_ptr<arrow::Buffer> CopyOf(const void* data, int64_t bytes) {
  auto buffer = arrow::AllocateBuffer(bytes);
  if (!buffer.ok()) return nullptr;
  std::memcpy((*buffer)->mutable_data(), data, static_cast<size_t>(bytes));
  return std::move(*buffer);
}

// Validity bitmap of the scored rows; null when all are.
std::shared_ptr<arrow::Buffer> ValidityOf(const std::vector<uint8_t>& unscored, int64_t rows, int64_t* null_count) {
  *null_count = 0;
  for (const uint8_t one : unscored) *null_count += one;
  if (*null_count == 0) return nullptr;
  auto bitmap = arrow::AllocateEmptyBitmap(rows);
  if (!bitmap.ok()) return nullptr;
  for (int64_t i = 0; i < rows; ++i) arrow::bit_util::SetBitTo((*bitmap)->mutable_data(), i, unscored[i] == 0);
  return std::move(*bitmap);
}

const DataType& ValueType(const DataType& type) {
  return type.kind() == TypeKind::kArray ? type.children()[0].type : type;
}

}  // namespace

TensorFiller::TensorFiller(const InputBinding& binding, int64_t rows_max) : binding_(binding) {
  const size_t elements = static_cast<size_t>(rows_max) * binding.columns.size();
  if (binding.element == TensorElement::kString) {
    strings_.resize(elements);
  } else {
    const bool wide = binding.element == TensorElement::kDouble || binding.element == TensorElement::kInt64;
    numbers_.resize(wide ? elements : (elements + 1) / 2);
  }
}

Status TensorFiller::Fill(const std::vector<std::shared_ptr<arrow::Array>>& inputs, int64_t first, int64_t rows,
                          std::vector<uint8_t>* unscored) {
  const int64_t stride = static_cast<int64_t>(binding_.columns.size());
  shape_[0] = rows;
  shape_[1] = stride;
  for (int64_t c = 0; c < stride; ++c) {
    const arrow::Array& column = *inputs[binding_.columns[c]];
    switch (binding_.element) {
      case TensorElement::kFloat:
        TM_RETURN_IF_ERROR(FillColumn(column, first, rows, stride, binding_.null_value,
                                      reinterpret_cast<float*>(numbers_.data()) + c, unscored));
        break;
      case TensorElement::kDouble:
        TM_RETURN_IF_ERROR(FillColumn(column, first, rows, stride, binding_.null_value,
                                      reinterpret_cast<double*>(numbers_.data()) + c, unscored));
        break;
      case TensorElement::kInt32:
        TM_RETURN_IF_ERROR(FillColumn(column, first, rows, stride, binding_.null_value,
                                      reinterpret_cast<int32_t*>(numbers_.data()) + c, unscored));
        break;
      case TensorElement::kInt64:
        TM_RETURN_IF_ERROR(FillColumn(column, first, rows, stride, binding_.null_value,
                                      reinterpret_cast<int64_t*>(numbers_.data()) + c, unscored));
        break;
      case TensorElement::kBool:
        TM_RETURN_IF_ERROR(FillColumn(column, first, rows, stride, binding_.null_value,
                                      reinterpret_cast<bool*>(numbers_.data()) + c, unscored));
        break;
      case TensorElement::kString:
        TM_RETURN_IF_ERROR(FillStrings(column, first, rows, stride, strings_.data() + c, unscored));
        break;
      case TensorElement::kOther:
        return Status(kInternalError, "a model's input has no element type");
    }
  }
  return Status::OK();
}

TensorView TensorFiller::View() {
  const void* data =
      binding_.element == TensorElement::kString ? static_cast<const void*>(strings_.data()) : numbers_.data();
  return TensorView{binding_.element, data, {shape_, static_cast<size_t>(binding_.rank)}};
}

ColumnCollector::ColumnCollector(const OutputBinding& binding, const DataType& type, int64_t num_rows)
    : binding_(binding), type_(type), num_rows_(num_rows) {
  if (binding.kind != OutputBinding::Kind::kElement) return;
  if (type.kind() == TypeKind::kString)
    strings_.resize(num_rows);
  else
    numbers_.resize(num_rows);
}
ColumnCollector::~ColumnCollector() = default;

Status ColumnCollector::Take(const TensorOutputs& outputs, const std::string& output_name, int64_t first,
                             int64_t rows) {
  const int k = binding_.output;
  const std::vector<int64_t>& shape = outputs.shape(k);
  const int64_t width = shape.size() == 2 ? shape[1] : 1;
  if (shape.empty() || shape.size() > 2 || shape[0] != rows || binding_.element >= width) {
    std::string text;
    for (const int64_t d : shape) text += (text.empty() ? "" : ", ") + std::to_string(d);
    return Status(kModelRunFailed,
                  "output '" + output_name + "' has shape [" + text + "] for " + std::to_string(rows) + " rows");
  }
  const bool list = binding_.kind == OutputBinding::Kind::kList;
  if (list && numbers_.empty()) {
    width_ = width;
    numbers_.resize(static_cast<size_t>(num_rows_ * width));
  }
  if (list && width != width_) return Status(kModelRunFailed, "output '" + output_name + "' changes its width");
  const TypeKind kind = ValueType(type_).kind();
  if (kind == TypeKind::kString && !list) {
    if (outputs.element(k) != TensorElement::kString)
      return Status(kModelRunFailed, "output '" + output_name + "' is not of strings");
    TM_ASSIGN_OR_RETURN(std::vector<std::string> strings, outputs.strings(k));
    for (int64_t i = 0; i < rows; ++i) strings_[first + i] = std::move(strings[i * width + binding_.element]);
    return Status::OK();
  }
  // A list is read as `rows * width` rows of one value.
  const int64_t values = list ? rows * width : rows;
  const int64_t stride = list ? 1 : width;
  const int64_t place = list ? first * width : first;
  const TensorElement element = outputs.element(k);
  const void* data = outputs.data(k);
  bool taken = false;
  switch (kind) {
    case TypeKind::kFloat:
      taken =
          GatherAs(element, data, stride, binding_.element, values, reinterpret_cast<float*>(numbers_.data()) + place);
      break;
    case TypeKind::kDouble:
      taken =
          GatherAs(element, data, stride, binding_.element, values, reinterpret_cast<double*>(numbers_.data()) + place);
      break;
    case TypeKind::kInt:
      taken = GatherAs(element, data, stride, binding_.element, values,
                       reinterpret_cast<int32_t*>(numbers_.data()) + place);
      break;
    case TypeKind::kBigInt:
      taken = GatherAs(element, data, stride, binding_.element, values,
                       reinterpret_cast<int64_t*>(numbers_.data()) + place);
      break;
    case TypeKind::kBoolean:
      taken = GatherAs(element, data, stride, binding_.element, values,
                       reinterpret_cast<uint8_t*>(numbers_.data()) + place);
      break;
    default:
      break;
  }
  return taken ? Status::OK() : Status(kModelRunFailed, "output '" + output_name + "' has another type than declared");
}

Result<std::shared_ptr<arrow::Array>> ColumnCollector::Finish(const std::vector<uint8_t>& unscored) {
  int64_t null_count = 0;
  std::shared_ptr<arrow::Buffer> validity = ValidityOf(unscored, num_rows_, &null_count);
  const DataType& value_type = ValueType(type_);
  const bool list = binding_.kind == OutputBinding::Kind::kList;
  const int64_t values = list ? num_rows_ * width_ : num_rows_;
  std::shared_ptr<arrow::Array> result;
  if (value_type.kind() == TypeKind::kString) {
    arrow::StringBuilder builder;
    for (int64_t i = 0; i < num_rows_; ++i) {
      const bool null = null_count > 0 && unscored[i];
      TM_ARROW_RETURN_IF_ERROR(null ? builder.AppendNull() : builder.Append(strings_[i]),
                               "collecting a model's output");
    }
    TM_ARROW_RETURN_IF_ERROR(builder.Finish(&result), "collecting a model's output");
    return result;
  }
  std::shared_ptr<arrow::Buffer> data;
  if (value_type.kind() == TypeKind::kBoolean) {
    auto bitmap = arrow::AllocateEmptyBitmap(values);
    if (bitmap.ok()) {
      const auto* bytes = reinterpret_cast<const uint8_t*>(numbers_.data());
      for (int64_t i = 0; i < values; ++i) arrow::bit_util::SetBitTo((*bitmap)->mutable_data(), i, bytes[i] != 0);
      data = std::move(*bitmap);
    }
  } else {
    data = CopyOf(numbers_.data(), values * (ToArrow(value_type)->bit_width() / 8));
  }
  if (data == nullptr || (null_count > 0 && validity == nullptr))
    return Status(kArrowError, "collecting a model's output: out of memory");
  if (!list) return arrow::MakeArray(arrow::ArrayData::Make(ToArrow(type_), num_rows_, {validity, data}, null_count));
  std::vector<int32_t> offsets(num_rows_ + 1);
  for (int64_t i = 0; i <= num_rows_; ++i) offsets[i] = static_cast<int32_t>(i * width_);
  const auto elements = arrow::ArrayData::Make(ToArrow(value_type), values, {nullptr, data}, 0);
  auto lists = arrow::ArrayData::Make(ToArrow(type_), num_rows_,
                                      {validity, CopyOf(offsets.data(), (num_rows_ + 1) * 4)}, null_count);
  lists->child_data = {elements};
  return arrow::MakeArray(lists);
}

Result<std::shared_ptr<arrow::Array>> VersionColumn(const std::string& version, int64_t num_rows,
                                                    const std::vector<uint8_t>& unscored) {
  arrow::StringBuilder builder;
  TM_ARROW_RETURN_IF_ERROR(builder.Reserve(num_rows), "naming a model's version");
  TM_ARROW_RETURN_IF_ERROR(builder.ReserveData(num_rows * static_cast<int64_t>(version.size())),
                           "naming a model's version");
  for (int64_t i = 0; i < num_rows; ++i) {
    if (!unscored.empty() && unscored[i])
      builder.UnsafeAppendNull();
    else
      builder.UnsafeAppend(version);
  }
  std::shared_ptr<arrow::Array> result;
  TM_ARROW_RETURN_IF_ERROR(builder.Finish(&result), "naming a model's version");
  return result;
}

}  // namespace tidemill
