#include <fmt/format.h>

#include "sql/parser/parser_impl.h"

namespace tidemill {

using ast::Column;
using ast::Statement;

Status Parser::ParseIfNotExists(bool& out) {
  if (!IsWord("IF")) return Status::OK();
  Take();
  TM_RETURN_IF_ERROR(ExpectWord("NOT"));
  TM_RETURN_IF_ERROR(ExpectWord("EXISTS"));
  out = true;
  return Status::OK();
}

Result<Statement> Parser::ParseCreate() {
  Statement statement;
  statement.position = Here();
  Take();
  if (IsWords({"OR", "REPLACE"})) return Unsupported("CREATE OR REPLACE");
  AcceptWord("TEMPORARY");
  if (AcceptWord("TABLE")) {
    statement.kind = Statement::Kind::kCreateTable;
    TM_RETURN_IF_ERROR(ParseCreateTable(statement.create_table));
    return statement;
  }
  if (AcceptWord("VIEW")) {
    statement.kind = Statement::Kind::kCreateView;
    TM_RETURN_IF_ERROR(ParseCreateView(statement.create_view));
    return statement;
  }
  if (AcceptWord("MODEL")) {
    statement.kind = Statement::Kind::kCreateModel;
    TM_RETURN_IF_ERROR(ParseCreateModel(statement.create_model));
    return statement;
  }
  for (std::string_view what : {"FUNCTION", "CATALOG", "DATABASE", "SYSTEM", "CONNECTION"}) {
    if (IsWord(what)) return Unsupported(fmt::format("CREATE {}", what));
  }
  if (IsWord("MATERIALIZED")) return Unsupported("CREATE MATERIALIZED TABLE");
  return Expected("TABLE, VIEW or MODEL", {"TABLE", "VIEW", "MODEL", "TEMPORARY"});
}

Status Parser::ParseCreateTable(ast::CreateTable& out) {
  TM_RETURN_IF_ERROR(ParseIfNotExists(out.if_not_exists));
  TM_ASSIGN_OR_RETURN(out.name, ParseObjectName("a table name"));
  if (AcceptSymbol("(")) {
    do {
      TM_RETURN_IF_ERROR(ParseTableElement(out));
    } while (AcceptSymbol(","));
    if (!AcceptSymbol(")")) return Expected("',' or ')'");
  } else if (!IsWord("LIKE") && !IsWord("WITH") && !IsWord("AS") && !IsWord("COMMENT")) {
    return Expected("'(' and the columns");
  }
  if (AcceptWord("COMMENT")) {
    TM_ASSIGN_OR_RETURN(out.comment, ParseStringLiteral("a comment as 'string'"));
  }
  if (IsWord("DISTRIBUTED")) return Unsupported("DISTRIBUTED BY");
  if (AcceptWord("PARTITIONED")) {
    TM_RETURN_IF_ERROR(ExpectWord("BY"));
    TM_ASSIGN_OR_RETURN(out.partitioned_by, ParseNameList("a column name"));
  }
  if (AcceptWord("WITH")) {
    TM_RETURN_IF_ERROR(ExpectSymbol("("));
    if (!AcceptSymbol(")")) {
      TM_ASSIGN_OR_RETURN(out.options, ParseOptions(")"));
    }
  }
  if (IsWord("LIKE")) TM_RETURN_IF_ERROR(ParseLike(out));
  if (IsWord("AS")) return Unsupported("CREATE TABLE ... AS SELECT");
  return Status::OK();
}

Status Parser::ParseLike(ast::CreateTable& out) {
  out.like_position = Here();
  Take();
  TM_ASSIGN_OR_RETURN(ast::Name source, ParseObjectName("a table name"));
  out.like = std::move(source);
  if (!AcceptSymbol("(")) return Status::OK();
  while (!AcceptSymbol(")")) {
    if (!IsWord("INCLUDING") && !IsWord("EXCLUDING") && !IsWord("OVERWRITING")) {
      return Expected("INCLUDING, EXCLUDING, OVERWRITING or ')'", {"INCLUDING", "EXCLUDING", "OVERWRITING"});
    }
    std::string how = Take().upper;
    static constexpr std::string_view kWhat[] = {"ALL",       "CONSTRAINTS", "DISTRIBUTION", "PARTITIONS",
                                                 "GENERATED", "METADATA",    "OPTIONS",      "WATERMARKS"};
    bool found = false;
    for (std::string_view what : kWhat) found = found || IsWord(what);
    if (!found)
      return Expected("ALL, CONSTRAINTS, PARTITIONS, GENERATED, METADATA, OPTIONS or WATERMARKS",
                      {"ALL", "CONSTRAINTS", "PARTITIONS", "GENERATED", "METADATA", "OPTIONS", "WATERMARKS"});
    out.like_options.push_back(how + " " + Take().upper);
  }
  return Status::OK();
}

Status Parser::ParseTableElement(ast::CreateTable& out) {
  SourcePosition position = Here();
  if (IsWords({"WATERMARK", "FOR"})) {
    if (out.watermark_column) return Status(kInvalidWatermark, "a table has one WATERMARK").At(position);
    Take();
    Take();
    TM_ASSIGN_OR_RETURN(ast::Name column, ParseName("a column name"));
    if (IsSymbol(".")) return Unsupported("WATERMARK FOR a field of a ROW");
    TM_RETURN_IF_ERROR(ExpectWord("AS"));
    TM_ASSIGN_OR_RETURN(out.watermark, ParseExpr());
    out.watermark_column = std::move(column);
    return Status::OK();
  }
  bool constraint = false;
  if (IsWord("CONSTRAINT") && IsName(1)) {
    Take();
    Take();
    constraint = true;
    if (IsWord("UNIQUE")) return Unsupported("UNIQUE");
    if (!IsWord("PRIMARY")) return Expected("PRIMARY KEY", {"PRIMARY"});
  }
  if (constraint || IsWord("PRIMARY")) {
    if (!out.primary_key.empty()) return Status(kSyntaxError, "a table has one PRIMARY KEY").At(position);
    out.primary_key_position = position;
    Take();
    TM_RETURN_IF_ERROR(ExpectWord("KEY"));
    TM_ASSIGN_OR_RETURN(out.primary_key, ParseNameList("a column name"));
    if (!AcceptWords({"NOT", "ENFORCED"}))
      return Expected("NOT ENFORCED (keys are never checked)", {"NOT", "ENFORCED"});
    return Status::OK();
  }
  return ParseColumn(out);
}

Status Parser::ParseColumn(ast::CreateTable& out) {
  Column column;
  TM_ASSIGN_OR_RETURN(column.name, ParseName("a column name, WATERMARK or PRIMARY KEY"));
  if (AcceptWord("AS")) {
    column.kind = Column::Kind::kComputed;
    TM_ASSIGN_OR_RETURN(column.computed, ParseExpr());
  } else {
    column.type_position = Here();
    TM_ASSIGN_OR_RETURN(column.type, ParseType());
    if (AcceptWord("METADATA")) {
      column.kind = Column::Kind::kMetadata;
      if (AcceptWord("FROM")) {
        TM_ASSIGN_OR_RETURN(column.metadata_key, ParseStringLiteral("a metadata key as 'string'"));
      }
      column.is_virtual = AcceptWord("VIRTUAL");
    }
    SourcePosition key = Here();
    if (AcceptWords({"PRIMARY", "KEY"})) {
      if (!AcceptWords({"NOT", "ENFORCED"}))
        return Expected("NOT ENFORCED (keys are never checked)", {"NOT", "ENFORCED"});
      if (!out.primary_key.empty()) return Status(kSyntaxError, "a table has one PRIMARY KEY").At(key);
      out.primary_key = {column.name};
      out.primary_key_position = key;
    }
    if (IsWord("DEFAULT")) return Unsupported("DEFAULT of a column");
  }
  if (AcceptWord("COMMENT")) {
    TM_ASSIGN_OR_RETURN(column.comment, ParseStringLiteral("a comment as 'string'"));
  }
  out.columns.push_back(std::move(column));
  return Status::OK();
}

Status Parser::ParseCreateView(ast::CreateView& out) {
  TM_RETURN_IF_ERROR(ParseIfNotExists(out.if_not_exists));
  TM_ASSIGN_OR_RETURN(out.name, ParseObjectName("a view name"));
  if (IsSymbol("(")) {
    TM_ASSIGN_OR_RETURN(out.columns, ParseNameList("a column name"));
  }
  if (AcceptWord("COMMENT")) {
    TM_ASSIGN_OR_RETURN(out.comment, ParseStringLiteral("a comment as 'string'"));
  }
  TM_RETURN_IF_ERROR(ExpectWord("AS"));
  TM_ASSIGN_OR_RETURN(out.query, ParseQuery());
  return Status::OK();
}

Status Parser::ParseModelColumns(std::vector<Column>& out) {
  TM_RETURN_IF_ERROR(ExpectSymbol("("));
  do {
    Column column;
    TM_ASSIGN_OR_RETURN(column.name, ParseName("a column name"));
    column.type_position = Here();
    TM_ASSIGN_OR_RETURN(column.type, ParseType());
    if (AcceptWord("COMMENT")) {
      TM_ASSIGN_OR_RETURN(column.comment, ParseStringLiteral("a comment as 'string'"));
    }
    for (const Column& other : out) {
      if (other.name.text == column.name.text) {
        return Status(kAlreadyExists, fmt::format("column '{}' stands twice", column.name.text))
            .At(column.name.position);
      }
    }
    out.push_back(std::move(column));
  } while (AcceptSymbol(","));
  return AcceptSymbol(")") ? Status::OK() : Expected("',' or ')'");
}

Status Parser::ParseCreateModel(ast::CreateModel& out) {
  TM_RETURN_IF_ERROR(ParseIfNotExists(out.if_not_exists));
  TM_ASSIGN_OR_RETURN(out.name, ParseObjectName("a model name"));
  TM_RETURN_IF_ERROR(ExpectWord("INPUT"));
  TM_RETURN_IF_ERROR(ParseModelColumns(out.input));
  TM_RETURN_IF_ERROR(ExpectWord("OUTPUT"));
  TM_RETURN_IF_ERROR(ParseModelColumns(out.output));
  if (AcceptWord("COMMENT")) {
    TM_ASSIGN_OR_RETURN(out.comment, ParseStringLiteral("a comment as 'string'"));
  }
  TM_RETURN_IF_ERROR(ExpectWord("WITH"));
  TM_RETURN_IF_ERROR(ExpectSymbol("("));
  TM_ASSIGN_OR_RETURN(out.options, ParseOptions(")"));
  return Status::OK();
}

}  // namespace tidemill
