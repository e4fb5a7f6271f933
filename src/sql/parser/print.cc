#include <fmt/format.h>

#include "sql/parser/ast.h"

namespace tidemill::ast {
namespace {

std::string Quote(std::string_view text, char quote) {
  std::string out(1, quote);
  for (char c : text) {
    if (c == quote) out += quote;
    out += c;
  }
  return out + quote;
}

std::string NameText(const std::string& name) { return Quote(name, '`'); }

std::string Names(const std::vector<Name>& names, const char* separator) {
  std::string out;
  for (const Name& name : names) out += (out.empty() ? "" : separator) + NameText(name.text);
  return out;
}

std::string List(const std::vector<ExprPtr>& list, size_t first = 0) {
  std::string out;
  for (size_t i = first; i < list.size(); ++i) out += (i > first ? ", " : "") + ToSql(*list[i]);
  return out;
}

std::string SortText(const std::vector<SortItem>& items) {
  std::string out;
  for (const SortItem& item : items) {
    out += (out.empty() ? "" : ", ") + ToSql(*item.expr) + (item.descending ? " DESC" : "");
    if (item.nulls_first) out += *item.nulls_first ? " NULLS FIRST" : " NULLS LAST";
  }
  return out;
}

std::string BoundText(WindowDefinition::Bound bound, const ExprPtr& value) {
  using Bound = WindowDefinition::Bound;
  switch (bound) {
    case Bound::kUnboundedPreceding:
      return "UNBOUNDED PRECEDING";
    case Bound::kPreceding:
      return ToSql(*value) + " PRECEDING";
    case Bound::kCurrentRow:
      return "CURRENT ROW";
    case Bound::kFollowing:
      return ToSql(*value) + " FOLLOWING";
    case Bound::kUnboundedFollowing:
      return "UNBOUNDED FOLLOWING";
  }
  return "";
}

std::string WindowText(const WindowDefinition& w) {
  std::string out = "(";
  auto add = [&](const std::string& part) { out += (out.size() > 1 ? " " : "") + part; };
  if (!w.base.empty()) add(NameText(w.base));
  if (!w.partition.empty()) add("PARTITION BY " + List(w.partition));
  if (!w.order.empty()) add("ORDER BY " + SortText(w.order));
  if (w.has_frame) {
    add(fmt::format("{} BETWEEN {} AND {}", w.rows ? "ROWS" : "RANGE", BoundText(w.lower, w.lower_value),
                    BoundText(w.upper, w.upper_value)));
  }
  return out + ")";
}

std::string CallText(const Expr& e) {
  std::string out = e.op + "(";
  const bool parameterless = e.args.empty() && !e.star && (e.op.starts_with("CURRENT_") || e.op.starts_with("LOCAL")) &&
                             e.op != "CURRENT_WATERMARK";
  if (parameterless) return e.op;
  if (e.op == "EXTRACT") return out + ToSql(*e.args[0]) + " FROM " + ToSql(*e.args[1]) + ")";
  if (e.op == "POSITION" && e.args.size() == 2) return out + ToSql(*e.args[0]) + " IN " + ToSql(*e.args[1]) + ")";
  if (e.op == "TRIM" && !e.unit.empty()) {
    const std::string what = e.args.size() > 1 ? ToSql(*e.args[1]) + " " : "";
    return out + e.unit + " " + what + "FROM " + ToSql(*e.args[0]) + ")";
  }
  if (e.args.size() == 2 && e.args[1]->kind == Expr::Kind::kUnit)
    return out + ToSql(*e.args[0]) + " TO " + e.args[1]->text + ")";
  if (e.op == "OVERLAY" && e.args.size() >= 3) {
    out += ToSql(*e.args[0]) + " PLACING " + ToSql(*e.args[1]) + " FROM " + ToSql(*e.args[2]);
    return out + (e.args.size() > 3 ? " FOR " + ToSql(*e.args[3]) : "") + ")";
  }
  if (e.star) out += "*";
  if (e.distinct) out += "DISTINCT ";
  out += List(e.args) + ")";
  if (e.filter) out += " FILTER (WHERE " + ToSql(*e.filter) + ")";
  if (e.over) out += " OVER " + WindowText(*e.over);
  return out;
}

std::string HintText(const std::vector<Hint>& hints) {
  if (hints.empty()) return "";
  std::string out = " /*+ ";
  for (size_t i = 0; i < hints.size(); ++i) {
    out += (i > 0 ? ", " : "") + hints[i].name;
    if (hints[i].options.empty()) continue;
    out += "(";
    for (size_t k = 0; k < hints[i].options.size(); ++k) {
      const Option& option = hints[i].options[k];
      out += fmt::format("{}{} = {}", k > 0 ? ", " : "", Quote(option.key, '\''), Quote(option.value, '\''));
    }
    out += ")";
  }
  return out + " */";
}

std::string TableText(const TableRef& t) {
  std::string out;
  switch (t.kind) {
    case TableRef::Kind::kJoin: {
      static constexpr const char* kJoins[] = {" JOIN ",      " LEFT JOIN ",  " RIGHT JOIN ",
                                               " FULL JOIN ", " CROSS JOIN ", ", "};
      out = TableText(*t.left) + kJoins[static_cast<int>(t.join)] + TableText(*t.right);
      if (t.on) out += " ON " + ToSql(*t.on);
      if (!t.using_columns.empty()) out += " USING (" + Names(t.using_columns, ", ") + ")";
      return out;
    }
    case TableRef::Kind::kTable:
      out = Names(t.names, ".") + HintText(t.hints);
      if (t.system_time) out += " FOR SYSTEM_TIME AS OF " + ToSql(*t.system_time);
      break;
    case TableRef::Kind::kSubquery:
      out = std::string(t.lateral ? "LATERAL " : "") + "(" + ToSql(*t.query) + ")";
      break;
    case TableRef::Kind::kFunction:
      out = std::string(t.lateral ? "LATERAL " : "") + "TABLE(" + ToSql(*t.function) + ")";
      break;
  }
  if (t.alias) out += " AS " + NameText(t.alias->text);
  if (!t.column_aliases.empty()) out += " (" + Names(t.column_aliases, ", ") + ")";
  return out;
}

std::string SelectText(const Select& s) {
  std::string out = "SELECT" + HintText(s.hints) + (s.distinct ? " DISTINCT " : " ");
  for (size_t i = 0; i < s.items.size(); ++i) {
    out += (i > 0 ? ", " : "") + ToSql(*s.items[i].expr);
    if (s.items[i].alias) out += " AS " + NameText(s.items[i].alias->text);
  }
  if (s.from) out += " FROM " + TableText(*s.from);
  if (s.where) out += " WHERE " + ToSql(*s.where);
  if (s.has_group_by) out += " GROUP BY " + (s.group_by.empty() ? "()" : List(s.group_by));
  if (s.having) out += " HAVING " + ToSql(*s.having);
  for (size_t i = 0; i < s.windows.size(); ++i) {
    out +=
        (i == 0 ? " WINDOW " : ", ") + NameText(s.windows[i].name.text) + " AS " + WindowText(s.windows[i].definition);
  }
  return out;
}

std::string BodyText(const Body& b) {
  switch (b.kind) {
    case Body::Kind::kSelect:
      return SelectText(b.select);
    case Body::Kind::kValues: {
      std::string out = "VALUES ";
      for (size_t i = 0; i < b.rows.size(); ++i) out += fmt::format("{}({})", i > 0 ? ", " : "", List(b.rows[i]));
      return out;
    }
    case Body::Kind::kQuery:
      return "(" + ToSql(*b.query) + ")";
    case Body::Kind::kSetOperation: {
      std::string out;
      for (size_t i = 0; i < b.inputs.size(); ++i) {
        if (i > 0) out += fmt::format(" {}{} ", b.op, b.all ? " ALL" : "");
        out += BodyText(*b.inputs[i]);
      }
      return out;
    }
  }
  return "";
}

std::string OptionsText(const std::vector<Option>& options) {
  std::string out;
  for (const Option& option : options) {
    out += fmt::format("{}{} = {}", out.empty() ? "" : ", ", Quote(option.key, '\''), Quote(option.value, '\''));
  }
  return "(" + out + ")";
}

std::string ColumnText(const Column& c) {
  std::string out = NameText(c.name.text) + " ";
  if (c.kind == Column::Kind::kComputed) {
    out += "AS " + ToSql(*c.computed);
  } else {
    out += c.type.ToString();
  }
  if (c.kind == Column::Kind::kMetadata) {
    out += " METADATA" + (c.metadata_key ? " FROM " + Quote(*c.metadata_key, '\'') : "") +
           (c.is_virtual ? " VIRTUAL" : "");
  }
  if (!c.comment.empty()) out += " COMMENT " + Quote(c.comment, '\'');
  return out;
}

std::string TableDefinitionText(const CreateTable& t) {
  std::string out = std::string("CREATE TABLE ") + (t.if_not_exists ? "IF NOT EXISTS " : "") + NameText(t.name.text);
  std::string elements;
  auto add = [&](const std::string& element) { elements += (elements.empty() ? "" : ", ") + element; };
  for (const Column& column : t.columns) add(ColumnText(column));
  if (t.watermark) add("WATERMARK FOR " + NameText(t.watermark_column->text) + " AS " + ToSql(*t.watermark));
  if (!t.primary_key.empty()) add("PRIMARY KEY (" + Names(t.primary_key, ", ") + ") NOT ENFORCED");
  if (!elements.empty()) out += " (" + elements + ")";
  if (!t.comment.empty()) out += " COMMENT " + Quote(t.comment, '\'');
  if (!t.partitioned_by.empty()) out += " PARTITIONED BY (" + Names(t.partitioned_by, ", ") + ")";
  if (!t.options.empty()) out += " WITH " + OptionsText(t.options);
  if (t.like) {
    out += " LIKE " + NameText(t.like->text);
    std::string list;
    for (const std::string& option : t.like_options) list += (list.empty() ? "" : " ") + option;
    if (!list.empty()) out += " (" + list + ")";
  }
  return out;
}

std::string InsertText(const Insert& i) {
  return "INSERT INTO " + NameText(i.table.text) + HintText(i.hints) +
         (i.columns.empty() ? "" : " (" + Names(i.columns, ", ") + ")") + " " + ToSql(*i.query);
}

std::string ModelText(const CreateModel& m) {
  auto columns = [](const std::vector<Column>& list) {
    std::string out;
    for (const Column& column : list) out += (out.empty() ? "" : ", ") + ColumnText(column);
    return "(" + out + ")";
  };
  return std::string("CREATE MODEL ") + (m.if_not_exists ? "IF NOT EXISTS " : "") + NameText(m.name.text) + " INPUT " +
         columns(m.input) + " OUTPUT " + columns(m.output) +
         (m.comment.empty() ? "" : " COMMENT " + Quote(m.comment, '\'')) + " WITH " + OptionsText(m.options);
}

}  // namespace

// Operators are put in parentheses, so that precedence needs no second table.
std::string ToSql(const Expr& e) {
  switch (e.kind) {
    case Expr::Kind::kName:
      return Names(e.names, ".");
    case Expr::Kind::kStar:
      return e.names.empty() ? "*" : Names(e.names, ".") + ".*";
    case Expr::Kind::kNumber:
    case Expr::Kind::kUnit:
      return e.text;
    case Expr::Kind::kString:
      return Quote(e.text, '\'');
    case Expr::Kind::kBinary:
      return "X'" + e.text + "'";
    case Expr::Kind::kBoolean:
      return e.flag ? "TRUE" : "FALSE";
    case Expr::Kind::kNull:
      return "NULL";
    case Expr::Kind::kDateTime:
      return e.op + " " + Quote(e.text, '\'');
    case Expr::Kind::kInterval:
      return fmt::format("INTERVAL {}{} {}{}", e.flag ? "-" : "", Quote(e.text, '\''), e.unit,
                         e.unit_to.empty() ? "" : " TO " + e.unit_to);
    case Expr::Kind::kUnary:
      if (e.op.starts_with("IS ")) return "(" + ToSql(*e.args[0]) + " " + e.op + ")";
      return "(" + e.op + " " + ToSql(*e.args[0]) + ")";
    case Expr::Kind::kBinaryOp:
      return "(" + ToSql(*e.args[0]) + " " + e.op + " " + ToSql(*e.args[1]) + ")";
    case Expr::Kind::kAnd:
    case Expr::Kind::kOr: {
      std::string out;
      for (const ExprPtr& arg : e.args)
        out += (out.empty() ? "" : e.kind == Expr::Kind::kAnd ? " AND " : " OR ") + ToSql(*arg);
      return "(" + out + ")";
    }
    case Expr::Kind::kBetween:
      return fmt::format("({} {}BETWEEN {}{} AND {})", ToSql(*e.args[0]), e.flag ? "NOT " : "",
                         e.op.empty() ? "" : e.op + " ", ToSql(*e.args[1]), ToSql(*e.args[2]));
    case Expr::Kind::kIn:
      return fmt::format("({} {}IN ({}))", ToSql(*e.args[0]), e.flag ? "NOT " : "", List(e.args, 1));
    case Expr::Kind::kLike:
      return fmt::format("({} {}{} {}{})", ToSql(*e.args[0]), e.flag ? "NOT " : "", e.op, ToSql(*e.args[1]),
                         e.args.size() > 2 ? " ESCAPE " + ToSql(*e.args[2]) : "");
    case Expr::Kind::kCase: {
      std::string out = "CASE";
      size_t i = 0;
      if (e.flag) out += " " + ToSql(*e.args[i++]);
      for (; i + 1 < e.args.size(); i += 2) out += " WHEN " + ToSql(*e.args[i]) + " THEN " + ToSql(*e.args[i + 1]);
      return out + (e.args.back() ? " ELSE " + ToSql(*e.args.back()) : "") + " END";
    }
    case Expr::Kind::kCast:
      return fmt::format("{}({} AS {})", e.flag ? "TRY_CAST" : "CAST", ToSql(*e.args[0]), e.type.ToString());
    case Expr::Kind::kCall:
      return CallText(e);
    case Expr::Kind::kArray:
      return "ARRAY[" + List(e.args) + "]";
    case Expr::Kind::kMap:
      return "MAP[" + List(e.args) + "]";
    case Expr::Kind::kRow:
      return "ROW(" + List(e.args) + ")";
    case Expr::Kind::kIndex:
      return ToSql(*e.args[0]) + "[" + ToSql(*e.args[1]) + "]";
    case Expr::Kind::kField:
      // After a number the point would be its own.
      return (e.args[0]->kind == Expr::Kind::kNumber ? "(" + e.args[0]->text + ")" : ToSql(*e.args[0])) + "." +
             NameText(e.names[0].text);
    case Expr::Kind::kDescriptor:
      return "DESCRIPTOR(" + Names(e.names, ", ") + ")";
    case Expr::Kind::kTableArg:
      return "TABLE " + (e.query ? "(" + ToSql(*e.query) + ")" : Names(e.names, ".")) +
             (e.partition.empty() ? "" : " PARTITION BY (" + List(e.partition) + ")");
    case Expr::Kind::kModelArg:
      return "MODEL " + Names(e.names, ".");
    case Expr::Kind::kNamedArg:
      return NameText(e.names[0].text) + " => " + ToSql(*e.args[0]);
    case Expr::Kind::kSubquery:
      if (e.op == "EXISTS") return std::string(e.flag ? "NOT " : "") + "EXISTS (" + ToSql(*e.query) + ")";
      if (e.op == "IN") return fmt::format("({} {}IN ({}))", ToSql(*e.args[0]), e.flag ? "NOT " : "", ToSql(*e.query));
      return "(" + ToSql(*e.query) + ")";
  }
  return "";
}

std::string ToSql(const Query& q) {
  std::string out;
  for (const CommonTable& table : q.with) {
    out += (out.empty() ? "WITH " : ", ") + NameText(table.name.text) +
           (table.columns.empty() ? "" : " (" + Names(table.columns, ", ") + ")") + " AS (" + ToSql(*table.query) + ")";
  }
  if (!out.empty()) out += " ";
  out += BodyText(*q.body);
  if (!q.order_by.empty()) out += " ORDER BY " + SortText(q.order_by);
  if (q.limit) out += " LIMIT " + ToSql(*q.limit);
  if (q.offset) out += " OFFSET " + ToSql(*q.offset);
  return out;
}

std::string ToSql(const Statement& s) {
  auto setting = [&] { return s.key.empty() ? std::string() : " " + Quote(s.key, '\''); };
  auto inserts = [&] {
    std::string out = "STATEMENT SET BEGIN ";
    for (const Insert& insert : s.inserts) out += InsertText(insert) + "; ";
    return out + "END";
  };
  switch (s.kind) {
    case Statement::Kind::kCreateTable:
      return TableDefinitionText(s.create_table);
    case Statement::Kind::kCreateView: {
      const CreateView& v = s.create_view;
      return std::string("CREATE VIEW ") + (v.if_not_exists ? "IF NOT EXISTS " : "") + NameText(v.name.text) +
             (v.columns.empty() ? "" : " (" + Names(v.columns, ", ") + ")") +
             (v.comment.empty() ? "" : " COMMENT " + Quote(v.comment, '\'')) + " AS " + ToSql(*v.query);
    }
    case Statement::Kind::kCreateModel:
      return ModelText(s.create_model);
    case Statement::Kind::kDrop:
      return "DROP " + s.what + (s.if_exists ? " IF EXISTS " : " ") + NameText(s.name.text);
    case Statement::Kind::kShow:
      return "SHOW " + s.what;
    case Statement::Kind::kDescribe:
      return "DESCRIBE " + (s.what.empty() ? "" : s.what + " ") + NameText(s.name.text);
    case Statement::Kind::kSet:
      return "SET" + setting() + (s.key.empty() ? "" : " = " + Quote(s.value, '\''));
    case Statement::Kind::kReset:
      return "RESET" + setting();
    case Statement::Kind::kInsert:
      return InsertText(s.inserts[0]);
    case Statement::Kind::kStatementSet:
      return "EXECUTE " + inserts();
    case Statement::Kind::kSelect:
      return ToSql(*s.query);
    case Statement::Kind::kExplain:
      return "EXPLAIN " + (s.query ? ToSql(*s.query) : inserts());
  }
  return "";
}

}  // namespace tidemill::ast
