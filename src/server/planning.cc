#include "server/planning.h"

#include <functional>

#include <fmt/format.h>

#include "job/job_environment.h"
#include "model/model_registry.h"
#include "server/script.h"

namespace tidemill {

struct PlanningSession::Parts {
  explicit Parts(const Config& settings)
      : models(files, clock, metrics, {.onnx_library = settings.GetString("onnx.library", ""), .watch = false}),
        environment({.connectors = {.files = &files, .clock = &clock, .metrics = &metrics}, .models = &models}),
        planner(environment) {}

  LocalFileSystem files;
  SystemClock clock;
  MetricsRegistry metrics;
  ModelRegistry models;
  JobPlannerEnvironment environment;
  Planner planner;
};

PlanningSession::PlanningSession(const CommandContext& context)
    : context_(context), parts_(std::make_unique<Parts>(context.options.settings)) {}
PlanningSession::~PlanningSession() = default;

Planner& PlanningSession::planner() { return parts_->planner; }
PlannerEnvironment& PlanningSession::environment() { return parts_->environment; }

Status PlanningSession::Begin() {
  if (begun_) return Status::OK();
  TM_RETURN_IF_ERROR(ApplySettings(parts_->planner, context_.options.settings));
  begun_ = true;
  return Status::OK();
}

Result<std::vector<PlannedStatement>> PlanningSession::PlanFile(const std::string& path) {
  TM_ASSIGN_OR_RETURN(const std::string text, ReadScript(parts_->files, path));
  TM_RETURN_IF_ERROR(Begin());
  context_.console.RememberText(path, text);
  script_text_ += fmt::format("{}:{}\n", text.size(), text);
  return parts_->planner.Plan(path, text, VariablesFor(context_.options.variables, path));
}

Result<std::vector<PlannedStatement>> PlanningSession::PlanText(const std::string& name, const std::string& text) {
  TM_RETURN_IF_ERROR(Begin());
  context_.console.RememberText(name, text);
  script_text_ += fmt::format("{}:{}\n", text.size(), text);
  return parts_->planner.Plan(name, text, VariablesFor(context_.options.variables, "-"));
}

Result<std::vector<Status>> PlanningSession::CheckFile(const std::string& path) {
  TM_ASSIGN_OR_RETURN(const std::string text, ReadScript(parts_->files, path));
  TM_RETURN_IF_ERROR(Begin());
  context_.console.RememberText(path, text);
  return FindErrors(parts_->planner, parts_->environment, path, text, VariablesFor(context_.options.variables, path));
}

bool PlanningSession::IsBounded(const LogicalPlan& plan) {
  const std::function<bool(const LogicalNode&)> bounded = [&](const LogicalNode& node) {
    if (const auto* scan = std::get_if<ScanSpec>(&node.spec)) return parts_->environment.IsBounded(*scan->table);
    for (const LogicalPtr& input : node.inputs) {
      if (!bounded(*input)) return false;
    }
    return true;
  };
  for (const LogicalPtr& root : plan.roots) {
    if (!bounded(*root)) return false;
  }
  return true;
}

}  // namespace tidemill
