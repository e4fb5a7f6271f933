#include <fmt/format.h>

#include "base/config.h"
#include "sql/binder/binder.h"
#include "sql/errors.h"

namespace tidemill {
namespace {

constexpr const char* kPredictOptions[] = {"async", "timeout", "capacity", "max-concurrent-operations", "output-mode"};

Result<Config> BindPredictConfig(const ast::Expr& map) {
  Config config;
  if (map.kind != ast::Expr::Kind::kMap)
    return Status(kWrongArguments, "CONFIG of ML_PREDICT is MAP['key', 'value', ...]").At(map.position);
  for (size_t i = 0; i + 1 < map.args.size(); i += 2) {
    const ast::Expr& key = *map.args[i];
    const ast::Expr& value = *map.args[i + 1];
    for (const ast::Expr* e : {&key, &value}) {
      if (e->kind != ast::Expr::Kind::kString)
        return Status(kWrongArguments, "CONFIG of ML_PREDICT takes constant strings").At(e->position);
    }
    if (std::find(std::begin(kPredictOptions), std::end(kPredictOptions), key.text) == std::end(kPredictOptions)) {
      Status status = Status(kUnknownOption, fmt::format("ML_PREDICT has no option '{}'", key.text)).At(key.position);
      std::string nearest = NearestName(key.text, {std::begin(kPredictOptions), std::end(kPredictOptions)});
      return nearest.empty()
                 ? status.WithNote("options: async, timeout, capacity, max-concurrent-operations, output-mode")
                 : status.WithHint(fmt::format("did you mean '{}'?", nearest));
    }
    config.Set(key.text, value.text);
    Status valid;
    if (key.text == "async") valid = config.GetBool(key.text, false).status();
    if (key.text == "timeout") valid = config.GetDurationMs(key.text, 0).status();
    if (key.text == "capacity" || key.text == "max-concurrent-operations") valid = config.GetInt(key.text, 0).status();
    if (key.text == "output-mode" && value.text != "ORDERED" && value.text != "ALLOW_UNORDERED") {
      valid =
          Status(kInvalidOption, fmt::format("'output-mode' is '{}', expected ORDERED or ALLOW_UNORDERED", value.text));
    }
    if (!valid.ok()) return Status(kInvalidOption, valid.message()).At(value.position);
  }
  return config;
}

}  // namespace

// ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(a, b) [, MAP[...]]): all columns of t, then the model's outputs.
Result<Relation> Binder::BindPredict(const ast::Expr& call, const CommonTableScope* scope) {
  using Arguments = std::map<std::string, const ast::Expr*>;
  TM_ASSIGN_OR_RETURN(Arguments args, MatchArguments(call, {"INPUT", "MODEL", "ARGS", "CONFIG"}, 3));
  const ast::Expr& model_arg = *args["MODEL"];
  if (model_arg.kind != ast::Expr::Kind::kModelArg)
    return Status(kWrongArguments, "expected MODEL m").At(model_arg.position);
  const ast::Name& model_name = model_arg.names[0];
  PredictSpec spec;
  spec.model = catalog_.FindModel(model_name.text);
  if (!spec.model) {
    Status status =
        Status(kModelNotFound, fmt::format("model '{}' not found", model_name.text)).At(model_name.position);
    std::string nearest = NearestName(model_name.text, catalog_.model_names());
    return nearest.empty() ? status : status.WithHint(fmt::format("did you mean '{}'?", nearest));
  }
  TM_ASSIGN_OR_RETURN(Relation input, BindTableArgument(*args["INPUT"], scope));
  if (args.contains("CONFIG")) {
    TM_ASSIGN_OR_RETURN(spec.config, BindPredictConfig(*args["CONFIG"]));
  }
  const ast::Expr& descriptor = *args["ARGS"];
  if (descriptor.kind != ast::Expr::Kind::kDescriptor)
    return Status(kWrongArguments, "expected DESCRIPTOR(columns)").At(descriptor.position);
  const Schema& wanted = spec.model->input;
  if (static_cast<int>(descriptor.names.size()) != wanted.num_fields()) {
    return Status(kModelMismatch, fmt::format("model '{}' takes {} inputs, DESCRIPTOR names {}", spec.model->name,
                                              wanted.num_fields(), descriptor.names.size()))
        .At(descriptor.position)
        .WithNote("INPUT " + wanted.ToString());
  }
  std::vector<ExpressionPtr> arguments;
  for (int i = 0; i < wanted.num_fields(); ++i) {
    const ast::Name& name = descriptor.names[i];
    TM_ASSIGN_OR_RETURN(ResolvedName found, ResolveColumn(input, {name}));
    ExpressionPtr column = MakeColumn(found.column, input.columns[found.column].type, name.position);
    TM_ASSIGN_OR_RETURN(ExpressionPtr argument, MakeImplicitCast(column, wanted.field(i).type,
                                                                 fmt::format("input '{}' of model '{}'",
                                                                             wanted.field(i).name, spec.model->name)));
    arguments.push_back(std::move(argument));
  }
  if (validated_models_.insert(spec.model.get()).second)
    TM_RETURN_IF_ERROR(environment_.ValidateModel(*spec.model).At(model_name.position));
  const size_t width = input.columns.size();
  TM_ASSIGN_OR_RETURN(spec.argument_columns, ColumnsFor(input, arguments, call.position));
  const ModelPtr model = spec.model;
  LogicalPtr node = MakePredict(input.node, std::move(spec), hint_, call.position);
  Relation out{node, std::move(input.columns)};
  std::vector<std::string> names;
  for (size_t i = 0; i < width; ++i) names.push_back(out.columns[i].name);
  for (const Field& field : model->output.fields()) names.push_back(field.name);
  MakeNamesUnique(names);
  for (int i = 0; i < model->output.num_fields(); ++i) {
    out.columns.push_back({"", names[width + static_cast<size_t>(i)], model->output.field(i).type});
  }
  return out;
}

}  // namespace tidemill
