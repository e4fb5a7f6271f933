#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sql/errors.h"
#include "sql/parser/ast.h"
#include "sql/parser/lexer.h"
#include "sql/parser/parser.h"

namespace tidemill {

// Recursive descent for statements, Pratt for expressions. One per script.
class Parser {
 public:
  Parser(std::string file, std::vector<Token> tokens) : file_(std::move(file)), tokens_(std::move(tokens)) {}
  Result<std::vector<ast::Statement>> Script();

 private:
  // --- tokens (parser_core.cc) ---
  const Token& Peek(size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  const Token& Take() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool AtEnd() const { return Peek().kind == TokenKind::kEnd; }
  bool IsWord(std::string_view upper, size_t ahead = 0) const {
    return Peek(ahead).kind == TokenKind::kWord && Peek(ahead).upper == upper;
  }
  bool IsSymbol(std::string_view symbol, size_t ahead = 0) const {
    return Peek(ahead).kind == TokenKind::kSymbol && Peek(ahead).text == symbol;
  }
  bool IsWords(std::initializer_list<std::string_view> words) const;
  bool AcceptWord(std::string_view upper);
  bool AcceptWords(std::initializer_list<std::string_view> words);
  bool AcceptSymbol(std::string_view symbol);
  Status ExpectWord(std::string_view upper);
  Status ExpectSymbol(std::string_view symbol);
  SourcePosition PositionOf(const Token& token) const { return {file_, token.line, token.column, token.length}; }
  SourcePosition Here() const { return PositionOf(Peek()); }
  // From `begin` to the last token taken, when they stand on one line.
  SourcePosition Span(const SourcePosition& begin) const;
  std::string Found() const;
  // "expected X, found Y"; of `words` the nearest to what was found is offered.
  Status Expected(std::string_view what, std::initializer_list<std::string_view> words = {}) const;
  Status Unsupported(std::string_view construct) const;
  Status UnsupportedAt(std::string_view construct, const SourcePosition& position) const;
  bool IsName(size_t ahead = 0) const;
  Result<ast::Name> ParseName(std::string_view what);
  // One-part name of an object; catalog.database.object is refused.
  Result<ast::Name> ParseObjectName(std::string_view what);
  Result<std::vector<ast::Name>> ParseNameList(std::string_view what);
  Result<std::string> ParseStringLiteral(std::string_view what);
  Result<std::vector<ast::Option>> ParseOptions(std::string_view close);

  struct Depth {
    explicit Depth(Parser& parser) : parser(parser) { ++parser.depth_; }
    ~Depth() { --parser.depth_; }
    Parser& parser;
  };
  Status CheckDepth() const;

  // --- statements (parser_statement.cc, parser_create.cc) ---
  Result<ast::Statement> ParseStatement();
  Result<ast::Statement> ParseCreate();
  Status ParseCreateTable(ast::CreateTable& out);
  Status ParseTableElement(ast::CreateTable& out);
  Status ParseColumn(ast::CreateTable& out);
  Status ParseLike(ast::CreateTable& out);
  Status ParseCreateView(ast::CreateView& out);
  Status ParseCreateModel(ast::CreateModel& out);
  Status ParseModelColumns(std::vector<ast::Column>& out);
  Result<ast::Statement> ParseDrop();
  Result<ast::Statement> ParseShow();
  Result<ast::Statement> ParseDescribe();
  Result<ast::Statement> ParseSet();
  Result<ast::Statement> ParseReset();
  Result<ast::Statement> ParseExplain();
  Result<ast::Statement> ParseStatementSet();
  Result<ast::Insert> ParseInsert();
  Status ParseIfNotExists(bool& out);

  // --- queries (parser_query.cc, parser_table.cc) ---
  Result<ast::QueryPtr> ParseQuery();
  bool StartsQuery(size_t ahead = 0) const {
    return IsWord("SELECT", ahead) || IsWord("WITH", ahead) || IsWord("VALUES", ahead);
  }
  Result<ast::BodyPtr> ParseBody(int precedence);
  Result<ast::BodyPtr> ParseBodyTerm();
  Status ParseSelect(ast::Select& out);
  Status ParseSelectItem(ast::Select& out);
  Status ParseGroupBy(ast::Select& out);
  Result<std::vector<ast::SortItem>> ParseSortItems();
  Result<ast::TableRefPtr> ParseFrom();
  Result<ast::TableRefPtr> ParseJoined();
  Result<ast::TableRefPtr> ParseTablePrimary();
  Status ParseTableSuffix(ast::TableRef& out);
  Result<std::vector<ast::Hint>> ParseHints();
  Result<ast::WindowDefinition> ParseWindowDefinition();
  Status ParseFrame(ast::WindowDefinition& out);
  Status ParseBound(ast::WindowDefinition::Bound& bound, ast::ExprPtr& value);
  // After an alias without AS, a misspelt keyword is the likelier fault.
  Status ExpectedAfterAlias(const std::optional<ast::Name>& alias, std::string_view what,
                            std::initializer_list<std::string_view> words) const;

  // --- expressions (parser_expression.cc, parser_call.cc) ---
  Result<ast::ExprPtr> ParseExpr(int precedence = 0);
  Result<ast::ExprPtr> ParsePrefix();
  Result<ast::ExprPtr> ParsePrimary();
  Result<ast::ExprPtr> ParseParenthesised();
  Result<ast::ExprPtr> ParseNameOrCall();
  Result<ast::ExprPtr> ParseCase();
  Result<ast::ExprPtr> ParseCast(bool try_cast);
  Result<ast::ExprPtr> ParseInterval();
  Result<ast::ExprPtr> ParseBracketed(ast::Expr::Kind kind);
  Result<ast::ExprPtr> ParsePostfix(ast::ExprPtr left);
  Result<ast::ExprPtr> ParsePredicate(ast::ExprPtr left, bool& matched, int precedence);
  Result<ast::ExprPtr> ParseIs(ast::ExprPtr left);
  Result<ast::ExprPtr> ParseIn(ast::ExprPtr left, bool negated);
  Result<ast::ExprPtr> ParseCall(const Token& name);
  Result<ast::ExprPtr> ParseSpecialCall(const Token& name, bool& matched);
  Status ParseArguments(ast::Expr& call);
  Result<ast::ExprPtr> ParseArgument();
  Status ParseCallSuffix(ast::Expr& call);
  Result<ast::ExprPtr> ParseUnit();
  Result<ast::ExprPtr> Finish(std::shared_ptr<ast::Expr> expr) const;  // sets the depth and checks it
  std::shared_ptr<ast::Expr> Make(ast::Expr::Kind kind, SourcePosition position) const;

  // --- types (parser_type.cc) ---
  Result<DataType> ParseType();
  Result<DataType> ParseTypeName();
  Result<DataType> ParseTimeType(std::string_view name);
  Result<DataType> ParseRowType();
  Result<int> ParseTypeNumber(std::string_view what, int min, int max);
  Result<int> ParseOptionalPrecision(int fallback, int max);

  std::string file_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
  int depth_ = 0;
};

bool IsReservedWord(std::string_view upper);
bool IsTimeUnit(std::string_view upper);
// "SECONDS" -> "SECOND", "SQL_TSI_DAY" -> "DAY".
std::string CanonicalTimeUnit(std::string_view upper);

}  // namespace tidemill
