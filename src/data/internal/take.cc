#include "data/internal/take.h"

#include <cstring>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/compute/api.h>
#include <arrow/compute/initialize.h>
#include <arrow/util/bit_util.h>

#include "data/arrow_status.h"

namespace tidemill {
namespace {

using Indices = std::span<const int32_t>;

arrow::Result<std::shared_ptr<arrow::Buffer>> GatherBits(const uint8_t* bits, int64_t offset, Indices indices) {
  const int64_t n = static_cast<int64_t>(indices.size());
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> out, arrow::AllocateBitmap(n));
  uint8_t* to = out->mutable_data();
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    uint8_t byte = 0;
    for (int b = 0; b < 8; ++b)
      byte |= static_cast<uint8_t>(arrow::bit_util::GetBit(bits, offset + indices[i + b]) << b);
    to[i >> 3] = byte;
  }
  if (i < n) {
    uint8_t byte = 0;
    for (int b = 0; i + b < n; ++b)
      byte |= static_cast<uint8_t>(arrow::bit_util::GetBit(bits, offset + indices[i + b]) << b);
    to[i >> 3] = byte;
  }
  return out;
}

template <typename Word>
arrow::Result<std::shared_ptr<arrow::Buffer>> GatherWords(const uint8_t* values, int64_t offset, Indices indices) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> out,
                        arrow::AllocateBuffer(static_cast<int64_t>(indices.size() * sizeof(Word))));
  const Word* from = reinterpret_cast<const Word*>(values) + offset;
  Word* to = reinterpret_cast<Word*>(out->mutable_data());
  for (size_t i = 0; i < indices.size(); ++i) to[i] = from[indices[i]];
  return out;
}

struct Word16 {
  uint64_t low, high;
};

arrow::Result<std::shared_ptr<arrow::ArrayData>> GatherFixed(const arrow::ArrayData& in, int width, Indices indices) {
  std::shared_ptr<arrow::Buffer> values;
  const uint8_t* from = in.buffers[1]->data();
  switch (width) {
    case 1: {
      ARROW_ASSIGN_OR_RAISE(values, GatherWords<uint8_t>(from, in.offset, indices));
      break;
    }
    case 2: {
      ARROW_ASSIGN_OR_RAISE(values, GatherWords<uint16_t>(from, in.offset, indices));
      break;
    }
    case 4: {
      ARROW_ASSIGN_OR_RAISE(values, GatherWords<uint32_t>(from, in.offset, indices));
      break;
    }
    case 8: {
      ARROW_ASSIGN_OR_RAISE(values, GatherWords<uint64_t>(from, in.offset, indices));
      break;
    }
    default: {
      ARROW_ASSIGN_OR_RAISE(values, GatherWords<Word16>(from, in.offset, indices));
      break;
    }
  }
  return arrow::ArrayData::Make(in.type, static_cast<int64_t>(indices.size()), {nullptr, std::move(values)});
}

arrow::Result<std::shared_ptr<arrow::ArrayData>> GatherBinary(const arrow::ArrayData& in, Indices indices) {
  const size_t n = indices.size();
  const int32_t* offsets = in.GetValues<int32_t>(1);
  const uint8_t* bytes = in.buffers[2] ? in.buffers[2]->data() : nullptr;
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> out_offsets,
                        arrow::AllocateBuffer(static_cast<int64_t>((n + 1) * sizeof(int32_t))));
  int32_t* to_offsets = reinterpret_cast<int32_t*>(out_offsets->mutable_data());
  int64_t total = 0;
  to_offsets[0] = 0;
  for (size_t i = 0; i < n; ++i) {
    total += offsets[indices[i] + 1] - offsets[indices[i]];
    to_offsets[i + 1] = static_cast<int32_t>(total);
  }
  if (total > INT32_MAX) return arrow::Status::CapacityError("more than 2 GiB of text in one batch");
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> out_bytes, arrow::AllocateBuffer(total));
  uint8_t* to = out_bytes->mutable_data();
  for (size_t i = 0; i < n; ++i) {
    const int32_t begin = offsets[indices[i]];
    const int32_t length = offsets[indices[i] + 1] - begin;
    if (length > 0) std::memcpy(to + to_offsets[i], bytes + begin, static_cast<size_t>(length));
  }
  return arrow::ArrayData::Make(in.type, static_cast<int64_t>(n),
                                {nullptr, std::move(out_offsets), std::move(out_bytes)});
}

// Bytes per value of a flat type that GatherFixed handles, else 0.
int GatherWidth(const arrow::DataType& type) {
  if (!arrow::is_fixed_width(type.id()) || type.id() == arrow::Type::DICTIONARY) return 0;
  const int bits = static_cast<const arrow::FixedWidthType&>(type).bit_width();
  const int bytes = bits / 8;
  const bool known = bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8 || bytes == 16;
  return bits % 8 == 0 && known ? bytes : 0;
}

arrow::Result<std::shared_ptr<arrow::ArrayData>> GatherFlat(const arrow::ArrayData& in, int width, Indices indices) {
  if (width > 0) return GatherFixed(in, width, indices);
  if (in.type->id() != arrow::Type::BOOL) return GatherBinary(in, indices);
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bits, GatherBits(in.buffers[1]->data(), in.offset, indices));
  return arrow::ArrayData::Make(in.type, static_cast<int64_t>(indices.size()), {nullptr, std::move(bits)});
}

arrow::Result<std::shared_ptr<arrow::Array>> TakeNested(const arrow::Array& array, Indices indices) {
  ARROW_RETURN_NOT_OK(arrow::compute::Initialize());
  const auto wrapped = arrow::Buffer::Wrap(indices.data(), indices.size());
  const arrow::Int32Array positions(static_cast<int64_t>(indices.size()), wrapped);
  return arrow::compute::Take(array, positions, arrow::compute::TakeOptions::NoBoundsCheck());
}

arrow::Result<std::shared_ptr<arrow::Array>> Take(const arrow::Array& array, Indices indices) {
  const arrow::ArrayData& in = *array.data();
  const arrow::Type::type id = in.type->id();
  const int width = GatherWidth(*in.type);
  if (width == 0 && id != arrow::Type::BOOL && id != arrow::Type::STRING && id != arrow::Type::BINARY) {
    return TakeNested(array, indices);
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::ArrayData> out, GatherFlat(in, width, indices));
  if (array.null_count() > 0) {
    ARROW_ASSIGN_OR_RAISE(out->buffers[0], GatherBits(in.buffers[0]->data(), in.offset, indices));
    out->null_count = arrow::kUnknownNullCount;
  } else {
    out->null_count = 0;
  }
  return arrow::MakeArray(std::move(out));
}

}  // namespace

Result<std::shared_ptr<arrow::Array>> TakeArray(const std::shared_ptr<arrow::Array>& array,
                                                std::span<const int32_t> indices) {
  TM_ARROW_ASSIGN_OR_RETURN(auto taken, Take(*array, indices), "take rows");
  return taken;
}

}  // namespace tidemill
