#pragma once

#include "base/errors.h"

namespace tidemill {

// TM11xx: data.
inline constexpr ErrorCode kUnsupportedType{1100, ErrorDomain::kUser, "unsupported type"};
inline constexpr ErrorCode kUnknownFormat{1101, ErrorDomain::kUser, "unknown format"};
inline constexpr ErrorCode kInvalidFormatOption{1102, ErrorDomain::kUser, "invalid format option"};
inline constexpr ErrorCode kArrowError{1103, ErrorDomain::kInternal, "columnar operation failed"};
inline constexpr ErrorCode kNullKey{1104, ErrorDomain::kData, "NULL in a NOT NULL key column",
                                    "declare the column nullable, or filter the rows out before they are grouped"};
inline constexpr ErrorCode kMissingColumn{1105, ErrorDomain::kUser, "column not in the file",
                                          "name the table's columns as the file does, or leave the column out"};
inline constexpr ErrorCode kInvalidSchema{1106, ErrorDomain::kUser, "invalid schema",
                                          "correct the schema at the place named"};
inline constexpr ErrorCode kIncompatibleSchema{
    1107, ErrorDomain::kUser, "incompatible schema",
    "change the schema so that both sides can read, or set the subject's compatibility"};
inline constexpr ErrorCode kSchemaNotFound{1108, ErrorDomain::kUser, "schema not found",
                                           "look at the id or subject, and at the registry that is asked"};

}  // namespace tidemill
