#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/status.h"
#include "data/data_type.h"
#include "state/string_store.h"

namespace arrow {
class Array;
}

namespace tidemill {

// Column values as 8-byte words inside fixed-width records: integers, booleans, dates, times and intervals
// sign-extended; FLOAT widened to DOUBLE, DOUBLE as its bits; DECIMAL as two words, low first; text and binary as a
// number of a StringStore.
enum class WordKind : uint8_t { kInteger, kDouble, kDecimal, kString, kUnsupported };
WordKind WordKindOf(const DataType& type);
// 1, 2, or 0 for types that don't fit (ARRAY, MAP, ROW).
int WordsOf(const DataType& type);

// records[i][word ...] := value i; 0 for NULL. Strings get a reference.
void ScatterWords(const arrow::Array& column, uint64_t* const* records, int word, StringStore* strings);
// records[i][word] |= bit where value i is NULL.
void ScatterNulls(const arrow::Array& column, uint64_t* const* records, int word, uint64_t bit);
// An array of `type` from the words at `word`; NULL where the record is nullptr or, if null_word >= 0,
// records[i][null_word] & null_mask.
Result<std::shared_ptr<arrow::Array>> GatherWords(const DataType& type, std::span<const uint64_t* const> records,
                                                  int word, int null_word, uint64_t null_mask,
                                                  const StringStore& strings);

}  // namespace tidemill
