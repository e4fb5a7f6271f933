#pragma once

#include <string_view>

#include <arrow/util/decimal.h>

#include "data/data_type.h"

namespace tidemill {

// Decimals as two's complement, big-endian, of any length: Avro's and Confluent's way to write them.

// False when it does not fit in 128 bits. No bytes are 0.
bool DecimalOfBytes(std::string_view bytes, arrow::Decimal128& out);
// The shortest form of a decimal128 as it lies in a column, in `store`.
std::string_view DecimalBytes(const uint8_t* value, char (&store)[16]);
// `value` with `scale` digits after the point as one of `type`; false when digits would be lost or there are too many.
bool RescaleDecimal(int scale, const DataType& type, arrow::Decimal128& value);

}  // namespace tidemill
