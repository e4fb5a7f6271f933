#pragma once

#include "function/errors.h"

namespace tidemill {

// TM20xx-TM29xx: SQL. Every one carries a position.
inline constexpr ErrorCode kSyntaxError{2001, ErrorDomain::kUser, "syntax error"};
inline constexpr ErrorCode kUnknownVariable{2002, ErrorDomain::kUser, "unknown variable", "give it with -D name=value"};
inline constexpr ErrorCode kUnsupportedSyntax{2003, ErrorDomain::kUser, "not supported"};
inline constexpr ErrorCode kTableNotFound{2101, ErrorDomain::kUser, "table not found"};
inline constexpr ErrorCode kModelNotFound{2102, ErrorDomain::kUser, "model not found"};
inline constexpr ErrorCode kAlreadyExists{2103, ErrorDomain::kUser, "already exists"};
inline constexpr ErrorCode kColumnNotFound{2104, ErrorDomain::kUser, "column not found"};
inline constexpr ErrorCode kAmbiguousColumn{2105, ErrorDomain::kUser, "ambiguous column"};
inline constexpr ErrorCode kTypeMismatch{2106, ErrorDomain::kUser, "type mismatch"};
inline constexpr ErrorCode kInvalidAggregate{2107, ErrorDomain::kUser, "invalid use of an aggregate"};
inline constexpr ErrorCode kInvalidWindow{2108, ErrorDomain::kUser, "invalid window"};
inline constexpr ErrorCode kNoTimeAttribute{2109, ErrorDomain::kUser, "not a time attribute",
                                            "declare WATERMARK FOR the column, and keep it unchanged up to here"};
inline constexpr ErrorCode kInvalidJoin{2110, ErrorDomain::kUser, "invalid join"};
inline constexpr ErrorCode kInvalidOption{2111, ErrorDomain::kUser, "invalid option"};
inline constexpr ErrorCode kUnknownOption{2112, ErrorDomain::kUser, "unknown option"};
inline constexpr ErrorCode kMissingOption{2113, ErrorDomain::kUser, "missing option"};
inline constexpr ErrorCode kUnknownConnector{2114, ErrorDomain::kUser, "unknown connector"};
inline constexpr ErrorCode kInvalidInsert{2115, ErrorDomain::kUser, "columns of INSERT do not fit"};
inline constexpr ErrorCode kInvalidWatermark{2116, ErrorDomain::kUser, "invalid watermark"};
inline constexpr ErrorCode kChangelogMismatch{2117, ErrorDomain::kUser, "updates where only inserts are taken"};
inline constexpr ErrorCode kInvalidLiteral{2118, ErrorDomain::kUser, "invalid literal"};
inline constexpr ErrorCode kNestingTooDeep{2119, ErrorDomain::kUser, "nesting too deep"};
inline constexpr ErrorCode kModelMismatch{2120, ErrorDomain::kUser, "model does not fit its declaration"};

}  // namespace tidemill
