#pragma once

#include <string_view>
#include <vector>

#include "data/internal/format_options.h"
#include "data/schema.h"

namespace tidemill {

// How the columns of `columns` are written in the messages that Kafka Connect's JSON converter sends with `schema`, a
// struct with the fields 'before' and 'after'. By the names of Connect's and Debezium's logical types; what these do
// not say is as in `otherwise`.
std::vector<JsonCoding> CodingsOfConnectSchema(std::string_view schema, const Schema& columns,
                                               const JsonCoding& otherwise);

}  // namespace tidemill
