#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "data/data_type.h"

// What the parser makes of a script. Immutable after parsing and shared: a view keeps its query. Every part knows its
// place.
namespace tidemill::ast {

struct Expr;
using ExprPtr = std::shared_ptr<const Expr>;
struct Query;
using QueryPtr = std::shared_ptr<const Query>;

struct Name {
  std::string text;
  SourcePosition position;
};

struct SortItem {
  ExprPtr expr;
  bool descending = false;
  std::optional<bool> nulls_first;
};

struct WindowDefinition {
  std::string base;  // OVER w, OVER (w ...): the named window it starts from
  std::vector<ExprPtr> partition;
  std::vector<SortItem> order;
  bool has_frame = false;
  bool rows = false;  // else RANGE
  enum class Bound : uint8_t { kUnboundedPreceding, kPreceding, kCurrentRow, kFollowing, kUnboundedFollowing };
  Bound lower = Bound::kUnboundedPreceding;
  Bound upper = Bound::kCurrentRow;
  ExprPtr lower_value;
  ExprPtr upper_value;
  SourcePosition frame_position;
  SourcePosition position;
};

struct Expr {
  enum class Kind : uint8_t {
    kName,     // names: a, t.a, a.b.c
    kStar,     // names: empty, or t in t.*
    kNumber,   // text
    kString,   // text
    kBinary,   // text: hex digits
    kBoolean,  // flag
    kNull,
    kDateTime,  // op: DATE, TIME, TIMESTAMP; text
    kInterval,  // text, unit, unit_to; flag: negative
    kUnary,     // op: "-", "+", "NOT", "IS NULL", "IS NOT TRUE", ...
    kBinaryOp,  // op: "+", "=", "||", "IS DISTINCT FROM", ...
    kAnd,       // two or more args
    kOr,
    kBetween,  // arg, low, high; flag: NOT; op: "" or "SYMMETRIC"
    kIn,       // arg, items...; flag: NOT
    kLike,     // arg, pattern[, escape]; flag: NOT; op: LIKE or SIMILAR TO
    kCase,     // [operand,] when, then, ..., else (may be null); flag: has an operand
    kCast,     // arg, type; flag: TRY_CAST
    kCall,     // op: upper-case name; args
    kArray,
    kMap,
    kRow,
    kIndex,       // args[0][args[1]]
    kField,       // args[0].names[0]
    kUnit,        // a time unit as argument: text
    kDescriptor,  // names
    kTableArg,    // TABLE t / TABLE(query) [PARTITION BY ...]
    kModelArg,    // MODEL m: names
    kNamedArg,    // names[0] => args[0]
    kSubquery,    // query; op: "", "EXISTS", "IN" (args[0]); flag: NOT
  };
  Kind kind = Kind::kNull;
  SourcePosition position;
  std::vector<Name> names;
  std::string text;
  std::string op;
  bool flag = false;
  std::string unit;
  std::string unit_to;
  std::vector<ExprPtr> args;
  DataType type;
  // kCall
  std::string written;  // the name as written
  bool distinct = false;
  bool star = false;  // COUNT(*)
  ExprPtr filter;
  std::shared_ptr<const WindowDefinition> over;
  // kTableArg, kSubquery
  QueryPtr query;
  std::vector<ExprPtr> partition;
  int depth = 1;  // of the tree below; bounded by the parser
};

struct Option {
  std::string key;
  std::string value;
  SourcePosition key_position;
  SourcePosition value_position;
};

struct Hint {
  std::string name;
  std::vector<Option> options;
  SourcePosition position;
};

struct TableRef;
using TableRefPtr = std::shared_ptr<const TableRef>;

struct TableRef {
  enum class Kind : uint8_t { kTable, kSubquery, kFunction, kJoin };
  Kind kind = Kind::kTable;
  SourcePosition position;
  std::vector<Name> names;  // kTable
  std::vector<Hint> hints;
  ExprPtr system_time;  // FOR SYSTEM_TIME AS OF
  QueryPtr query;       // kSubquery
  ExprPtr function;     // kFunction: the call; through TABLE(...) or not
  bool lateral = false;
  std::optional<Name> alias;
  std::vector<Name> column_aliases;
  // kJoin
  enum class Join : uint8_t { kInner, kLeft, kRight, kFull, kCross, kComma };
  Join join = Join::kInner;
  TableRefPtr left;
  TableRefPtr right;
  ExprPtr on;
  std::vector<Name> using_columns;
};

struct SelectItem {
  ExprPtr expr;
  std::optional<Name> alias;
};

struct NamedWindow {
  Name name;
  WindowDefinition definition;
};

struct Select {
  bool distinct = false;
  SourcePosition distinct_position;
  std::vector<Hint> hints;
  std::vector<SelectItem> items;
  TableRefPtr from;
  ExprPtr where;
  std::vector<ExprPtr> group_by;
  bool has_group_by = false;  // GROUP BY () has no items
  SourcePosition group_position;
  ExprPtr having;
  std::vector<NamedWindow> windows;
};

struct Body;
using BodyPtr = std::shared_ptr<const Body>;

struct Body {
  enum class Kind : uint8_t { kSelect, kValues, kSetOperation, kQuery };
  Kind kind = Kind::kSelect;
  SourcePosition position;
  Select select;
  std::vector<std::vector<ExprPtr>> rows;  // VALUES
  std::string op;                          // UNION, INTERSECT, EXCEPT
  bool all = false;
  std::vector<BodyPtr> inputs;  // kSetOperation: two or more of one kind
  QueryPtr query;               // parenthesised
};

struct CommonTable {
  Name name;
  std::vector<Name> columns;
  QueryPtr query;
};

struct Query {
  SourcePosition position;
  std::vector<CommonTable> with;
  BodyPtr body;
  std::vector<SortItem> order_by;
  SourcePosition order_position;
  ExprPtr limit;
  SourcePosition limit_position;
  ExprPtr offset;
};

struct Column {
  enum class Kind : uint8_t { kPhysical, kComputed, kMetadata };
  Kind kind = Kind::kPhysical;
  Name name;
  DataType type;
  SourcePosition type_position;
  bool primary_key = false;
  ExprPtr computed;
  std::optional<std::string> metadata_key;
  bool is_virtual = false;
  std::string comment;
};

struct CreateTable {
  Name name;
  bool if_not_exists = false;
  std::vector<Column> columns;
  std::optional<Name> watermark_column;
  ExprPtr watermark;
  std::vector<Name> primary_key;
  SourcePosition primary_key_position;
  std::vector<Name> partitioned_by;
  std::vector<Option> options;
  std::string comment;
  std::optional<Name> like;
  std::vector<std::string> like_options;  // "EXCLUDING OPTIONS", ...
  SourcePosition like_position;
};

struct CreateView {
  Name name;
  bool if_not_exists = false;
  std::vector<Name> columns;
  std::string comment;
  QueryPtr query;
};

struct CreateModel {
  Name name;
  bool if_not_exists = false;
  std::vector<Column> input;
  std::vector<Column> output;
  std::vector<Option> options;
  std::string comment;
};

struct Insert {
  Name table;
  std::vector<Hint> hints;
  std::vector<Name> columns;
  QueryPtr query;
  SourcePosition position;
};

struct Statement {
  enum class Kind : uint8_t {
    kCreateTable,
    kCreateView,
    kCreateModel,
    kDrop,          // what, name, if_exists
    kShow,          // what: TABLES, VIEWS, MODELS, FUNCTIONS, CREATE TABLE ...
    kDescribe,      // what: "" or MODEL; name
    kSet,           // key, value; key empty = list
    kReset,         // key; empty = all
    kInsert,        // inserts[0]
    kStatementSet,  // inserts
    kSelect,        // query
    kExplain,       // inserts or query
  };
  Kind kind = Kind::kSelect;
  SourcePosition position;
  CreateTable create_table;
  CreateView create_view;
  CreateModel create_model;
  std::string what;
  Name name;
  bool if_exists = false;
  std::string key;
  std::string value;
  SourcePosition key_position;
  SourcePosition value_position;
  std::vector<Insert> inserts;
  QueryPtr query;
};

// As SQL again: parsing the text gives an equal tree. For tests and for names of columns in messages.
std::string ToSql(const Expr& expr);
std::string ToSql(const Query& query);
std::string ToSql(const Statement& statement);

}  // namespace tidemill::ast
