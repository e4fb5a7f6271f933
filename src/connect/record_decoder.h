#pragma once

#include <memory>
#include <string>

#include "data/format.h"
#include "sql/catalog.h"

namespace tidemill {

// A decoder of some columns of records: `wanted` has those that are read, `all` those that the bytes have, in order.
// CSV and plain Avro go by position, so they have to know both.
Result<std::unique_ptr<RowDecoder>> MakeRecordDecoder(const std::string& format, const Schema& wanted,
                                                      const Schema& all, const Config& options,
                                                      FormatContext context = {});

}  // namespace tidemill
